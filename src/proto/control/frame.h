// Inner frames: what a session carries beside IP packets (docs/wire/ginnel.md section 2).
//
//   FrameReader frames(packet);
//   while (const auto frame = frames.next()) dispatch(frame->type, frame->body);
//
//   size += write_frame(ping, buffer.subspan(size));   // 0: no room, nothing lost
//
//    0         1                 3
//    +---------+-----------------+----------------------+---------+-----
//    | type u8 | length u16le    | body, `length` bytes | type u8 | ...
//    +---------+-----------------+----------------------+---------+-----
//
// Never allocates; bodies are borrowed from the packet.
#pragma once
#include <concepts>
#include <limits>
#include <optional>

#include "base/reader.h"
#include "base/writer.h"
#include "proto/control/drop.h"

namespace ginnel::control {

enum class FrameType : std::uint8_t {
  kPadding = 0x00,
  kHello = 0x01,
  kJoin = 0x02,
  kJoined = 0x03,
  kRefused = 0x04,
  kGoodbye = 0x05,
  kPing = 0x08,
  kPong = 0x09,
  kRegister = 0x10,
  kRegistered = 0x11,
  kHeartbeat = 0x12,
  kHeartbeatAck = 0x13,
  kCallMeMaybe = 0x20,
  kProbe = 0x21,
  kProbeAnswer = 0x22,
  kKcp = 0x30,
  kKcpBack = 0x31,
  kDatagram = 0x32,
  kFragment = 0x34,
  kGossip = 0x36,
};

inline constexpr std::size_t kFrameHeaderBytes = 3;
inline constexpr std::uint8_t kFrameTypeEnd = 0x40;  // from here on the byte begins an IP packet

// What the first byte of a decrypted packet says.
enum class InnerKind : std::uint8_t { kKeepalive, kFrames, kIp, kUnknown };
InnerKind inner_kind(ConstBytes packet);

// True for the few frames that a session carries before both certificates are accepted.
bool allowed_in_provisional(FrameType type);

struct Frame {
  FrameType type = FrameType::kPadding;  // may be one that nobody assigned: count and skip it
  ConstBytes body;
};

class FrameReader {
 public:
  explicit FrameReader(ConstBytes packet) : reader_(packet) {}
  // nullopt: the end, padding, or a packet that is damaged from here on (see drop()).
  std::optional<Frame> next();
  // Why reading ended before the end of the packet. kTooShort, kBadType.
  std::optional<Drop> drop() const { return drop_; }

 private:
  Reader reader_;
  std::optional<Drop> drop_;
};

// A message with a fixed frame type whose body `encode` writes.
template <class T>
concept FrameBody = requires(const T& body, Writer& w) {
  { T::kType } -> std::convertible_to<FrameType>;
  encode(body, w);
};

// The body alone. 0: no room.
template <class T>
std::size_t write(const T& body, Bytes out) {
  Writer w(out);
  encode(body, w);
  return w.ok() ? w.size() : 0;
}

// Header and body. 0: no room; what was written to `out` then means nothing.
std::size_t write_frame(FrameType type, ConstBytes body, Bytes out);

template <FrameBody T>
std::size_t write_frame(const T& body, Bytes out) {
  if (out.size() < kFrameHeaderBytes) return 0;
  Writer w(out.subspan(kFrameHeaderBytes));
  encode(body, w);
  if (!w.ok() || w.size() > std::numeric_limits<std::uint16_t>::max()) return 0;
  Writer(out).u8(static_cast<std::uint8_t>(T::kType)).u16le(static_cast<std::uint16_t>(w.size()));
  return kFrameHeaderBytes + w.size();
}

}  // namespace ginnel::control
