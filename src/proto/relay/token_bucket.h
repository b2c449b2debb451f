// How much one source may send: a rate, and what it may save up while it is silent.
//
//   TokenBucket bucket({.bytes_per_second = 12'500'000, .burst_bytes = 1'000'000}, now);
//   if (!bucket.take(now, size)) drop();
//
// Never allocates. Time that goes backwards earns nothing.
#pragma once
#include <cstdint>

#include "base/instant.h"

namespace ginnel::relay {

struct Quota {
  std::uint64_t bytes_per_second = 12'500'000;  // 100 Mbit/s
  std::uint64_t burst_bytes = 1'000'000;
};

class TokenBucket {
 public:
  TokenBucket() = default;
  // Starts full. Both numbers are limited to kLimitBytes.
  TokenBucket(const Quota& quota, Instant now);

  // False: not enough is left, and nothing is taken.
  bool take(Instant now, std::size_t bytes);

  static constexpr std::uint64_t kLimitBytes = std::uint64_t{1} << 33;

 private:
  void earn(Instant now);

  std::uint64_t rate_ = 0;   // nanobytes per nanosecond = bytes per second
  std::uint64_t full_ = 0;   // nanobytes; at most 2^33 * 10^9 < 2^63
  std::uint64_t level_ = 0;  // nanobytes, <= full_
  Instant earned_until_;
};

}  // namespace ginnel::relay
