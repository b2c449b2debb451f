#include "proto/relay/wire.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::relay {
namespace {

constexpr std::size_t kTagOffset = 8;
constexpr std::uint8_t kHopsMask = 3;

}  // namespace

Result<Header, Drop> parse_header(ConstBytes packet) {
  if (packet.size() <= kHeaderBytes) return Fail(Drop::kTooShort);
  Reader r(packet);
  const std::uint8_t type = r.u8();
  Header header;
  header.source = Index(r.u24le());
  const std::uint8_t flags = r.u8();
  header.destination = Index(r.u24le());
  header.tag = r.u64le();
  if (type != kType || (flags & ~kHopsMask) != 0) return Fail(Drop::kBadType);
  header.hops = flags;
  return header;
}

std::uint64_t tag_of(ConstBytes packet, const crypto::SipKey& key) {
  GINNEL_ASSERT(packet.size() >= kHeaderBytes);
  const ConstBytes payload = packet.subspan(kHeaderBytes);
  GINNEL_ASSERT(payload.size() <= std::numeric_limits<std::uint16_t>::max());
  std::array<std::byte, kTagOffset + 2 + kTaggedPayloadBytes> input{};
  Writer w(input);
  w.put(packet.first(kTagOffset)).u16le(static_cast<std::uint16_t>(payload.size()));
  w.put(payload.first(std::min(payload.size(), kTaggedPayloadBytes)));
  return crypto::siphash(key, w.written());
}

void write_header(const Header& header, const crypto::SipKey& key, Bytes packet) {
  GINNEL_ASSERT(packet.size() > kHeaderBytes);
  GINNEL_ASSERT(header.hops <= kHopsMask);
  Writer w(packet);
  w.u8(kType).u24le(header.source.value()).u8(header.hops).u24le(header.destination.value());
  w.u64le(tag_of(packet, key));
}

Result<Opened, Drop> open(Bytes packet, Index mine, const crypto::SipKey& key) {
  const auto header = parse_header(packet);
  if (!header) return Fail(header.error());
  if (header->hops != kHopsFromHub) return Fail(Drop::kHops);
  if (header->destination != mine) return Fail(Drop::kNotForUs);
  if (packet.size() - kHeaderBytes > std::numeric_limits<std::uint16_t>::max() ||
      header->tag != tag_of(packet, key)) {
    return Fail(Drop::kBadTag);
  }
  return Opened{header->source, packet.subspan(kHeaderBytes)};
}

}  // namespace ginnel::relay
