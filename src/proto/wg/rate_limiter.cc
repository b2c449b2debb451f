#include "proto/wg/rate_limiter.h"

#include <algorithm>

namespace ginnel::wg {
namespace {

constexpr Nanoseconds kCost = Nanoseconds(1s) / RateLimiter::kPerSecond;
constexpr Nanoseconds kFull = kCost * RateLimiter::kBurst;

Address source_of(Address address) {
  if (!address.is_v4()) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address;
}

}  // namespace

bool RateLimiter::allow(Instant now, const Address& from) {
  const Address source = source_of(from);
  auto it = buckets_.find(source);
  if (it == buckets_.end()) {
    if (buckets_.size() >= kSourcesMax) forget_idle(now);
    if (buckets_.size() >= kSourcesMax) return false;
    it = buckets_.emplace(source, Bucket{kFull, now}).first;
  }
  Bucket& bucket = it->second;
  bucket.tokens = std::min(kFull, bucket.tokens + (now - bucket.updated));
  bucket.updated = now;
  if (bucket.tokens < kCost) return false;
  bucket.tokens -= kCost;
  return true;
}

void RateLimiter::forget_idle(Instant now) {
  std::erase_if(buckets_, [now](const auto& entry) {
    const Bucket& bucket = entry.second;
    return bucket.tokens + (now - bucket.updated) >= kFull;
  });
}

}  // namespace ginnel::wg
