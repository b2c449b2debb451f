#include "proto/kcp/wire.h"

namespace ginnel::kcp {

Result<Segment, Drop> parse_segment(Reader& reader) {
  if (reader.remaining() < kHeaderBytes) return Fail(Drop::kTooShort);
  Segment segment;
  segment.conv = Conv(reader.u32le());
  const std::uint8_t cmd = reader.u8();
  segment.frg = reader.u8();
  segment.wnd = reader.u16le();
  segment.ts = Timestamp(reader.u32le());
  segment.sn = Sn(reader.u32le());
  segment.una = Sn(reader.u32le());
  segment.payload = reader.take(reader.u32le());
  if (!reader.ok()) return Fail(Drop::kTruncated);
  if (cmd < static_cast<std::uint8_t>(Cmd::kPush) || cmd > static_cast<std::uint8_t>(Cmd::kWins)) {
    return Fail(Drop::kUnknownCmd);
  }
  segment.cmd = static_cast<Cmd>(cmd);
  return segment;
}

void write_header(Writer& writer, const Segment& segment, std::size_t len) {
  writer.u32le(segment.conv.value())
      .u8(static_cast<std::uint8_t>(segment.cmd))
      .u8(segment.frg)
      .u16le(segment.wnd)
      .u32le(segment.ts.value())
      .u32le(segment.sn.value())
      .u32le(segment.una.value())
      .u32le(static_cast<std::uint32_t>(len));
}

}  // namespace ginnel::kcp
