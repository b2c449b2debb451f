// Two WireGuard devices shake hands in memory, and a packet passes from one to the other. What goes
// over this wire is WireGuard byte for byte: on a UDP socket the other end may be the kernel's.
#include "base/drain.h"
#include "proto/wg/device.h"

#include <cstdio>

using namespace ginnel;
using namespace ginnel::wg;

namespace {

struct End {
  End(std::string_view label, Rng& rng, Endpoint where)
      : at(where),
        device({}, crypto::SessionSecret::generate(rng), rng.fork(label), Instant{},
               Wall{1'800'000'000'000'000'000}) {}
  Endpoint at;
  Device device;
  std::string received;
};

struct Wire {  // from one end straight to the other
  End& from;
  End& to;
  Instant now;
  std::array<std::byte, Device::kStagedBytesMax + kDataOverheadBytes> buffer{};
  Bytes slot() { return buffer; }
  void commit(const Transmit& transmit) {
    std::printf("%s -> %s: type %d, %zu bytes\n", from.at.text().c_str(), to.at.text().c_str(),
                std::to_integer<int>(buffer[0]), transmit.size);
    const auto opened = to.device.open(now, kSocket, from.at, Bytes(buffer).first(transmit.size));
    if (!opened) return;  // a Drop: not for us, damaged, or replayed; nothing is to be done
    to.received += text_of(opened->plaintext);  // handshakes and keepalives have none
  }
};

}  // namespace

int main() {
  Rng rng = Rng::from_seed(1);  // in earnest: keyed with 32 bytes of the kernel
  End alice("alice", rng, *Endpoint::parse("192.0.2.1:51820"));
  End bob("bob", rng, *Endpoint::parse("192.0.2.2:51820"));
  const Instant now;
  const PeerHandle to_bob = alice.device.add_peer(now, bob.device.public_key(), {}).value();
  const PeerHandle to_alice = bob.device.add_peer(now, alice.device.public_key(), {}).value();
  alice.device.set_endpoint(now, to_bob, kSocket, bob.at);
  bob.device.set_endpoint(now, to_alice, kSocket, alice.at);

  // No session yet: the packet is kept, and a handshake begins.
  const std::string packet = "sixteen letters!";  // 16 bytes: no padding
  std::array<std::byte, 1500> out;
  const auto sealed = alice.device.seal(now, to_bob, bytes_of(packet), out);
  if (sealed || sealed.error() != NotReady::kStaged) return 1;

  int established = 0;
  const auto count = [&](const Device::Event& event) {
    established += std::holds_alternative<SessionEstablished>(event) ? 1 : 0;
  };
  for (int round = 0; round < 3; ++round) {  // initiation, response, data
    Wire from_alice{alice, bob, now};
    Wire from_bob{bob, alice, now};
    drain(alice.device, now, from_alice, count);
    drain(bob.device, now, from_bob, count);
  }
  std::printf("bob received \"%s\"\n", bob.received.c_str());
  return bob.received == packet && established == 2 ? 0 : 1;
}
