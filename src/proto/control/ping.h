// PING and PONG: what `ginnel ping` measures (docs/wire/ginnel.md section 8).
//
//     0  id u64le    8  sequence u32le    12  stamp u64le    20  padding, up to 1440 bytes
//
// Never allocates; borrows from the frame.
#pragma once
#include <ginnel/result.h>

#include "proto/control/frame.h"

namespace ginnel::control {

inline constexpr std::size_t kPingPaddingBytesMax = 1440;
inline constexpr std::size_t kPingFixedBytes = 20;  // before the padding

struct Ping {
  static constexpr FrameType kType = FrameType::kPing;

  std::uint64_t id = 0;  // one run of `ginnel ping`
  std::uint32_t sequence = 0;
  std::uint64_t stamp = 0;  // means something to the asking side alone
  ConstBytes padding;
};
// The answer: all of the PING.
struct Pong {
  static constexpr FrameType kType = FrameType::kPong;
  Ping ping;
};

// Errors: kTooLong (padding).
Result<Ping, Drop> parse_ping(ConstBytes body);
Result<Pong, Drop> parse_pong(ConstBytes body);
void encode(const Ping& ping, Writer& w);
void encode(const Pong& pong, Writer& w);

}  // namespace ginnel::control
