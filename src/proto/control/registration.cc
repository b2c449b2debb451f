#include "proto/control/registration.h"

#include "base/assert.h"
#include "proto/control/fields.h"

namespace ginnel::control {
namespace {

TablePosition read_position(Reader& r) {
  TablePosition out;
  out.epoch = r.u64le();
  out.sequence = r.u32le();
  return out;
}

void write_position(Writer& w, const TablePosition& position) {
  w.u64le(position.epoch).u32le(position.sequence);
}

std::optional<LinkReport> read_link(Reader& r) {
  const auto peer = read_id(r);
  const std::uint8_t path = r.u8();
  const std::uint32_t rtt_us = r.u32le();
  const std::uint16_t loss = r.u16le();
  if (!peer || path > static_cast<std::uint8_t>(PathKind::kRelayTcp)) return std::nullopt;
  return LinkReport{*peer, static_cast<PathKind>(path), rtt_us, loss};
}

void write_link(Writer& w, const LinkReport& link) {
  write_id(w, link.peer);
  w.u8(static_cast<std::uint8_t>(link.path)).u32le(link.rtt_us).u16le(link.loss_per_65536);
}

Heartbeat read_heartbeat(Reader& r) {
  Heartbeat out;
  out.sequence = r.u32le();
  out.stamp = r.u64le();
  out.table = read_position(r);
  out.revocations_number = r.u64le();
  out.revocations_hash = r.array<8>();
  return out;
}

}  // namespace

Result<Register, Drop> parse_register(ConstBytes body) {
  Reader r(body);
  Register out;
  out.sequence = r.u32le();
  out.table = read_position(r);
  out.network_info = read_blob16(r);
  const std::size_t count = r.u8();
  if (count > kLinksMax) return refused(r, Drop::kTooMany);
  for (std::size_t i = 0; i < count; ++i) {
    const auto link = read_link(r);
    if (!link) return refused(r);
    out.links.push_back(*link);
  }
  return finish(r, std::move(out));
}

void encode(const Register& message, Writer& w) {
  GINNEL_ASSERT(message.links.size() <= kLinksMax);
  w.u32le(message.sequence);
  write_position(w, message.table);
  write_blob16(w, message.network_info);
  w.u8(static_cast<std::uint8_t>(message.links.size()));
  for (const LinkReport& link : message.links) write_link(w, link);
}

Result<Registered, Drop> parse_registered(ConstBytes body) {
  Reader r(body);
  Registered out;
  out.sequence = r.u32le();
  out.relay_index = r.u24le();
  out.relay_key = r.array<crypto::kSipKeyBytes>();
  out.observed = read_endpoint(r);
  out.heartbeat_ms = r.u32le();
  out.hub_epoch = r.u64le();
  out.probe_port = r.u16be();
  if (out.relay_index == 0 || out.heartbeat_ms < kHeartbeatMsMin ||
      out.heartbeat_ms > kHeartbeatMsMax) {
    return refused(r);
  }
  return finish(r, out);
}

void encode(const Registered& message, Writer& w) {
  w.u32le(message.sequence).u24le(message.relay_index).array(message.relay_key);
  write_endpoint(w, message.observed);
  w.u32le(message.heartbeat_ms).u64le(message.hub_epoch).u16be(message.probe_port);
}

Result<Heartbeat, Drop> parse_heartbeat(ConstBytes body) {
  Reader r(body);
  const Heartbeat out = read_heartbeat(r);
  return finish(r, out);
}

void encode(const Heartbeat& message, Writer& w) {
  w.u32le(message.sequence).u64le(message.stamp);
  write_position(w, message.table);
  w.u64le(message.revocations_number).array(message.revocations_hash);
}

Result<HeartbeatAck, Drop> parse_heartbeat_ack(ConstBytes body) {
  Reader r(body);
  HeartbeatAck out;
  out.state = read_heartbeat(r);
  out.observed = read_endpoint(r);
  return finish(r, out);
}

void encode(const HeartbeatAck& message, Writer& w) {
  encode(message.state, w);
  write_endpoint(w, message.observed);
}

}  // namespace ginnel::control
