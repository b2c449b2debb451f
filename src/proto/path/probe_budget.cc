#include "proto/path/probe_budget.h"

#include <algorithm>

namespace ginnel::path {
namespace {

// A quarter of a second's probes may go out at once.
constexpr Nanoseconds kBurst = 250ms;
constexpr Nanoseconds kSweepEvery = 100ms;

}  // namespace

bool ProbeBudget::allow(Instant now, const Address& to) {
  Row* const r = row(now, to);
  if (!r) return false;
  if (now - r->window_start >= kWindow) {
    r->window_start = now;
    r->sent = 0;
  }
  const bool alive = now < r->alive_until;
  if (!alive && r->sent >= kPerSilentAddress) return false;
  if (!allow_rate(now)) return false;
  ++r->sent;
  return true;
}

bool ProbeBudget::allow_rate(Instant now) {
  if (options_.probes_per_second == 0) return false;
  const Nanoseconds cost = Nanoseconds(1s) / options_.probes_per_second;
  saved_ = std::min<Nanoseconds>(saved_ + (now - updated_), std::max(kBurst, cost));
  updated_ = now;
  if (saved_ < cost) return false;
  saved_ -= cost;
  return true;
}

void ProbeBudget::note_alive(Instant now, const Address& address) {
  if (Row* const r = row(now, address)) r->alive_until = now + kAliveFor;
}

ProbeBudget::Row* ProbeBudget::row(Instant now, const Address& address) {
  const auto it = table_.find(address);
  if (it != table_.end()) return &it->second;
  if (table_.size() >= kAddressesMax && !make_room(now)) return nullptr;
  return &table_.emplace(address, Row{.window_start = now, .alive_until = now}).first->second;
}

bool ProbeBudget::make_room(Instant now) {
  if (now < next_sweep_) return false;
  next_sweep_ = now + kSweepEvery;
  std::erase_if(table_, [&](const auto& entry) {
    return now - entry.second.window_start >= kWindow && now >= entry.second.alive_until;
  });
  return table_.size() < kAddressesMax;
}

}  // namespace ginnel::path
