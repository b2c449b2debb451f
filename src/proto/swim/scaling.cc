#include "proto/swim/scaling.h"

#include <algorithm>
#include <cmath>

namespace ginnel::swim {
namespace {

constexpr std::size_t kPushPullScaleThreshold = 32;

}  // namespace

std::uint32_t retransmit_limit(std::uint32_t mult, std::size_t n) {
  return mult * static_cast<std::uint32_t>(std::ceil(std::log10(static_cast<double>(n) + 1)));
}

Nanoseconds suspicion_timeout(std::uint32_t mult, std::size_t n, Nanoseconds interval) {
  const double log = std::log10(std::max(1.0, static_cast<double>(n)));
  const auto thousandths = static_cast<std::int64_t>(std::max(1.0, log) * 1000);
  return mult * thousandths * interval / 1000;
}

Nanoseconds push_pull_scaled(Nanoseconds interval, std::size_t n) {
  if (n <= kPushPullScaleThreshold) return interval;
  const double doublings = std::log2(static_cast<double>(n)) -
                           std::log2(static_cast<double>(kPushPullScaleThreshold));
  return interval * (static_cast<std::int64_t>(std::ceil(doublings)) + 1);
}

}  // namespace ginnel::swim
