#include "proto/control/acknowledgement.h"

#include "proto/control/fields.h"

namespace ginnel::control {

Result<Taken, Drop> parse_taken(ConstBytes body) {
  Reader r(body);
  const Taken out{r.u64le()};
  if (out.message_id == 0) return refused(r);
  return finish(r, out);
}

void encode(const Taken& message, Writer& w) { w.u64le(message.message_id); }

Result<NotTaken, Drop> parse_not_taken(ConstBytes body) {
  Reader r(body);
  const std::uint64_t id = r.u64le();
  const std::uint8_t code = r.u8();
  if (id == 0 || code < 1 || code > 4) return refused(r);
  return finish(r, NotTaken{id, static_cast<NotTaken::Code>(code)});
}

void encode(const NotTaken& message, Writer& w) {
  w.u64le(message.message_id).u8(static_cast<std::uint8_t>(message.code));
}

Result<Cancel, Drop> parse_cancel(ConstBytes body) {
  Reader r(body);
  const Cancel out{r.u64le()};
  if (out.message_id == 0) return refused(r);
  return finish(r, out);
}

void encode(const Cancel& message, Writer& w) { w.u64le(message.message_id); }

Result<LaneReset, Drop> parse_lane_reset(ConstBytes body) {
  Reader r(body);
  const LaneReset out{r.u32le()};
  if (out.lane == 0) return refused(r);
  return finish(r, out);
}

void encode(const LaneReset& message, Writer& w) { w.u32le(message.lane); }

}  // namespace ginnel::control
