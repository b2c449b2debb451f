#include "proto/control/ping.h"

#include "proto/control/fields.h"

namespace ginnel::control {

Result<Ping, Drop> parse_ping(ConstBytes body) {
  Reader r(body);
  Ping out;
  out.id = r.u64le();
  out.sequence = r.u32le();
  out.stamp = r.u64le();
  out.padding = r.rest();
  if (out.padding.size() > kPingPaddingBytesMax) return Fail(Drop::kTooLong);
  return finish(r, out);
}

Result<Pong, Drop> parse_pong(ConstBytes body) {
  const auto ping = parse_ping(body);
  if (!ping) return Fail(ping.error());
  return Pong{*ping};
}

void encode(const Ping& ping, Writer& w) {
  w.u64le(ping.id).u32le(ping.sequence).u64le(ping.stamp).put(ping.padding);
}

void encode(const Pong& pong, Writer& w) { encode(pong.ping, w); }

}  // namespace ginnel::control
