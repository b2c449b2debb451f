#include "base/assert.h"
#include "proto/relay/relay_table.h"

namespace {

using namespace ginnel;
using namespace ginnel::relay;

constexpr Index kMine(0x000001);
constexpr crypto::SipKey kKey = {1};
constexpr crypto::SipKey kOtherKey = {2};

// What a hub forwards, the destination opens, with the payload as it was.
void relay_one(RelayTable& table, ByteVector packet) {
  const ByteVector before = packet;
  const auto transmit = table.forward(Instant{1}, packet);
  if (!transmit) {
    GINNEL_ASSERT(packet == before);
    return;
  }
  const auto header = parse_header(packet);
  GINNEL_ASSERT(header.has_value());
  const auto& key = header->destination == kMine ? kKey : kOtherKey;
  const auto opened = open(packet, header->destination, key);
  GINNEL_ASSERT(opened.has_value());
  GINNEL_ASSERT(equal(opened->payload, ConstBytes(before).subspan(kHeaderBytes)));
}

}  // namespace

// A datagram as it came; and with the right tag, which no mutation would find.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  RelayTable table(4);
  table.add(Instant{0}, {.index = kMine, .key = kKey, .path = {}, .to = {}, .quota = {}});
  table.add(Instant{0}, {.index = Index(2), .key = kOtherKey, .path = {}, .to = {}, .quota = {}});
  ByteVector packet = to_vector(std::as_bytes(std::span(data, size)));
  relay_one(table, packet);
  (void)open(packet, kMine, kKey);
  const auto header = parse_header(packet);
  if (!header || size > 2000) return 0;
  write_header(*header, header->source == kMine ? kKey : kOtherKey, packet);
  GINNEL_ASSERT(parse_header(packet)->source == header->source);
  relay_one(table, packet);
  return 0;
}
