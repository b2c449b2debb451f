#include "proto/relay/token_bucket.h"

#include <algorithm>

namespace ginnel::relay {
namespace {

constexpr std::uint64_t kNano = 1'000'000'000;

}  // namespace

TokenBucket::TokenBucket(const Quota& quota, Instant now)
    : rate_(std::min(quota.bytes_per_second, kLimitBytes)),
      full_(std::min(quota.burst_bytes, kLimitBytes) * kNano),
      level_(full_),
      earned_until_(now) {}

void TokenBucket::earn(Instant now) {
  if (now <= earned_until_ || rate_ == 0) return;
  const auto elapsed = static_cast<std::uint64_t>((now - earned_until_).count());
  earned_until_ = now;
  // Compared before multiplying, so that a long silence cannot overflow.
  const bool fills = elapsed > (full_ - level_) / rate_;
  level_ = fills ? full_ : level_ + elapsed * rate_;
}

bool TokenBucket::take(Instant now, std::size_t bytes) {
  earn(now);
  if (bytes > level_ / kNano) return false;
  level_ -= bytes * kNano;
  return true;
}

}  // namespace ginnel::relay
