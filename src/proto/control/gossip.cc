#include "proto/control/gossip.h"

#include "proto/control/fields.h"

namespace ginnel::control {

Result<Gossip, Drop> parse_gossip(ConstBytes body) {
  Reader r(body);
  const std::uint8_t kind = r.u8();
  if (!r.ok()) return Fail(Drop::kTooShort);
  if (kind > static_cast<std::uint8_t>(Gossip::Kind::kForwarded)) return Fail(Drop::kBadField);
  Gossip out{.kind = static_cast<Gossip::Kind>(kind), .address = {}, .data = {}};
  if (out.kind == Gossip::Kind::kNothing) return finish(r, out);
  if (out.has_address()) out.address.bytes = r.array<16>();
  if (!r.ok()) return Fail(Drop::kTooShort);
  out.data = r.rest();
  return out;
}

void encode(const Gossip& gossip, Writer& w) {
  w.u8(static_cast<std::uint8_t>(gossip.kind));
  if (gossip.has_address()) w.array(gossip.address.bytes);
  w.put(gossip.data);
}

}  // namespace ginnel::control
