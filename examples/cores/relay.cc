// A hub passes packets on between nodes that it has registered. It checks a tag that only they can
// make, charges the sender's quota, and rewrites the header; what is inside it cannot read.
#include "base/rng.h"
#include "proto/relay/index_allocator.h"
#include "proto/relay/relay_table.h"

#include <cstdio>

using namespace ginnel;
using namespace ginnel::relay;

namespace {

struct Node {
  Index index;         // handed out by the hub when the node registered
  crypto::SipKey key;  // shared with the hub
  Endpoint at;
};

// Header and text; the text would be a sealed packet.
ByteVector packet_of(const Node& from, Index to, std::string_view text) {
  ByteVector packet(kHeaderBytes);
  packet.insert(packet.end(), bytes_of(text).begin(), bytes_of(text).end());
  write_header({.source = from.index, .destination = to}, from.key, packet);
  return packet;
}

}  // namespace

int main() {
  Rng rng = Rng::from_seed(1);
  const Instant now;
  IndexAllocator indices(1024, rng.fork("indices"));
  RelayTable hub(1024);
  const auto enrol = [&](std::string_view endpoint) {
    Node node{*indices.allocate(), rng.array<crypto::kSipKeyBytes>(), *Endpoint::parse(endpoint)};
    hub.add(now, {.index = node.index, .key = node.key, .path = kSocket, .to = node.at});
    return node;
  };
  const Node alice = enrol("192.0.2.1:7700");
  const Node bob = enrol("192.0.2.2:7700");

  ByteVector packet = packet_of(alice, bob.index, "hello by way of the hub");
  const auto transmit = hub.forward(now, packet);
  if (!transmit) return 1;
  std::printf("the hub sends %zu bytes to %s\n", transmit->size, transmit->to.text().c_str());

  const auto opened = open(packet, bob.index, bob.key);
  if (!opened) return 1;
  const std::string text(text_of(opened->payload));
  std::printf("bob gets \"%s\" from node %u\n", text.c_str(), opened->source.value());

  // Mallory knows the indices but no key.
  ByteVector forged = packet_of({alice.index, rng.array<16>(), {}}, bob.index, "send money");
  const auto refused = hub.forward(now, forged);
  std::printf("forged packets dropped: %llu\n",
              static_cast<unsigned long long>(hub.dropped(Drop::kBadTag)));
  const bool is_right = text == "hello by way of the hub" && opened->source == alice.index;
  return is_right && transmit->to == bob.at && !refused ? 0 : 1;
}
