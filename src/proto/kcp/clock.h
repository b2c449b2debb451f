// KCP's clock: whole milliseconds, of which 32 bits travel. Deadlines stay Instants, so only echoes
// meet the wrap after 49.7 days.
#pragma once
#include "proto/kcp/config.h"

namespace ginnel::kcp {

inline constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

constexpr Instant whole_milliseconds(Instant at) {
  return {at.ns - at.ns % kNanosecondsPerMillisecond};
}
constexpr Timestamp timestamp_of(Instant at) {
  return Timestamp(static_cast<std::uint32_t>(at.ns / kNanosecondsPerMillisecond));
}

}  // namespace ginnel::kcp
