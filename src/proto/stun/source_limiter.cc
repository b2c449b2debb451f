#include "proto/stun/source_limiter.h"

namespace ginnel::stun {
namespace {

constexpr Nanoseconds kWindow = 1s;
constexpr Nanoseconds kSweepEvery = 100ms;

Address network_of(const Address& from) {
  return Prefix::make(from, from.is_v4() ? 96 + 24 : 56).address;
}

}  // namespace

bool SourceLimiter::allow(Instant now, const Address& from) {
  const Address network = network_of(from);
  auto it = sources_.find(network);
  if (it == sources_.end()) {
    if (sources_.size() >= kSourcesMax && !make_room(now)) return false;
    it = sources_.emplace(network, Recent{}).first;
  }
  Recent& recent = it->second;
  if (recent.count == kPerSecond && now - recent.at[recent.next] < kWindow) return false;
  recent.at[recent.next] = now;
  recent.next = (recent.next + 1) % kPerSecond;
  recent.count = std::min(recent.count + 1, kPerSecond);
  recent.last = now;
  return true;
}

bool SourceLimiter::make_room(Instant now) {
  if (now < next_sweep_) return false;
  next_sweep_ = now + kSweepEvery;
  std::erase_if(sources_, [&](const auto& entry) { return now - entry.second.last >= kWindow; });
  return sources_.size() < kSourcesMax;
}

}  // namespace ginnel::stun
