#include "proto/control/frame.h"

namespace ginnel::control {

InnerKind inner_kind(ConstBytes packet) {
  if (packet.empty()) return InnerKind::kKeepalive;  // WireGuard 6.5: a message without content
  const auto first = std::to_integer<std::uint8_t>(packet[0]);
  if (first < kFrameTypeEnd) return InnerKind::kFrames;
  const int ip_version = first >> 4;
  return ip_version == 4 || ip_version == 6 ? InnerKind::kIp : InnerKind::kUnknown;
}

bool allowed_in_provisional(FrameType type) {
  switch (type) {
    case FrameType::kHello:
    case FrameType::kJoin:
    case FrameType::kJoined:
    case FrameType::kRefused:
    case FrameType::kFragment:
      return true;
    default:
      return false;
  }
}

std::optional<Frame> FrameReader::next() {
  if (drop_ || reader_.remaining() == 0) return std::nullopt;
  const std::uint8_t type = reader_.u8();
  if (type == static_cast<std::uint8_t>(FrameType::kPadding)) {
    reader_.rest();
    return std::nullopt;
  }
  if (type >= kFrameTypeEnd) {
    drop_ = Drop::kBadType;
    return std::nullopt;
  }
  const ConstBytes body = reader_.take(reader_.u16le());
  if (!reader_.ok()) {
    drop_ = Drop::kTooShort;
    return std::nullopt;
  }
  return Frame{static_cast<FrameType>(type), body};
}

std::size_t write_frame(FrameType type, ConstBytes body, Bytes out) {
  if (body.size() > std::numeric_limits<std::uint16_t>::max()) return 0;
  Writer w(out);
  w.u8(static_cast<std::uint8_t>(type)).u16le(static_cast<std::uint16_t>(body.size())).put(body);
  return w.ok() ? w.size() : 0;
}

}  // namespace ginnel::control
