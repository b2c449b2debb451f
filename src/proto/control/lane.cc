#include "proto/control/lane.h"

#include "base/assert.h"
#include "proto/control/fields.h"

namespace ginnel::control {

Result<LaneOpen, Drop> parse_lane_open(ConstBytes bytes) {
  Reader r(bytes);
  LaneOpen out;
  const std::uint8_t kind = r.u8();
  out.priority = r.u8();
  out.channel = text_of(read_text8(r));
  if (kind > static_cast<std::uint8_t>(LaneOpen::Kind::kReplies)) return refused(r);
  out.kind = static_cast<LaneOpen::Kind>(kind);
  if (out.priority > kPriorityMax || out.channel.empty()) return refused(r);
  if (out.channel.size() > kChannelBytesMax) return Fail(Drop::kTooLong);
  return finish(r, std::move(out));
}

void encode(const LaneOpen& open, Writer& w) {
  GINNEL_ASSERT(!open.channel.empty());
  GINNEL_ASSERT(open.channel.size() <= kChannelBytesMax);
  w.u8(static_cast<std::uint8_t>(open.kind)).u8(open.priority);
  write_text8(w, open.channel);
}

Result<MessageHeader, Drop> MessageHeader::parse(ConstBytes bytes) {
  Reader r(bytes);
  MessageHeader out;
  out.size = r.u32le();
  out.message_id = r.u64le();
  if (out.size > kMessageBytesMax) return Fail(Drop::kTooLong);
  return finish(r, out);
}

void encode(const MessageHeader& header, Writer& w) {
  GINNEL_ASSERT(header.size <= kMessageBytesMax);
  w.u32le(header.size).u64le(header.message_id);
}

Result<LaneReader::OpenHeader, Drop> LaneReader::OpenHeader::parse(ConstBytes header) {
  OpenHeader out;
  std::ranges::copy(header, out.bytes.begin());
  out.channel_size = std::to_integer<std::size_t>(header[2]);
  if (out.channel_size > kChannelBytesMax) return Fail(Drop::kTooLong);
  return out;
}

std::size_t LaneReader::feed_open(ConstBytes bytes) {
  const std::size_t taken = opening_.feed(bytes);
  drop_ = opening_.drop();
  if (!opening_.ready()) return taken;
  const auto whole = opening_.take();
  ByteVector all = to_vector(whole.header.bytes);
  all.insert(all.end(), whole.body.begin(), whole.body.end());
  auto open = parse_lane_open(all);
  if (open) {
    open_ = *std::move(open);
  } else {
    drop_ = open.error();
  }
  return taken;
}

std::size_t LaneReader::feed(ConstBytes bytes) {
  if (failed()) return 0;
  std::size_t taken = open_ ? 0 : feed_open(bytes);
  if (!open_) return taken;
  taken += messages_.feed(bytes.subspan(taken));
  return taken;
}

Result<LanePacket, Drop> parse_lane_packet(ConstBytes body) {
  if (body.size() < kKcpSegmentHeaderBytes) return Fail(Drop::kTooShort);
  return LanePacket{Reader(body).u32le(), body};
}

}  // namespace ginnel::control
