// Timers of a core: an enum and a table. Setting one is an assignment, the next deadline a minimum;
// nothing to cancel or to leak.
//
//   enum class Timer { kProbe, kGossip, kCount };
//   Timers<Timer> timers;
//   timers.set(Timer::kProbe, now + 1s);
//   if (timers.take_expired(Timer::kProbe, now)) ...
//
// For thousands of timers (one per member, per segment) DeadlineQueue. Timers never allocates.
#pragma once
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/instant.h"

namespace ginnel {

template <class Enum>
class Timers {
 public:
  void set(Enum timer, Instant at) { slot(timer) = at; }
  void stop(Enum timer) { slot(timer).reset(); }
  void stop_all() { deadlines_.fill(std::nullopt); }
  bool is_set(Enum timer) const { return slot(timer).has_value(); }
  std::optional<Instant> deadline(Enum timer) const { return slot(timer); }

  // True once if the timer's time has come; it is stopped then.
  bool take_expired(Enum timer, Instant now) {
    auto& at = slot(timer);
    if (!at || *at > now) return false;
    at.reset();
    return true;
  }
  std::optional<Instant> next() const {
    std::optional<Instant> out;
    for (const auto& at : deadlines_) {
      if (at && (!out || *at < *out)) out = at;
    }
    return out;
  }

 private:
  std::optional<Instant>& slot(Enum timer) { return deadlines_[static_cast<std::size_t>(timer)]; }
  const std::optional<Instant>& slot(Enum timer) const {
    return deadlines_[static_cast<std::size_t>(timer)];
  }
  std::array<std::optional<Instant>, static_cast<std::size_t>(Enum::kCount)> deadlines_{};
};

// The earlier of two deadlines, either of which may be none.
constexpr std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

// One deadline per key, ordered: the same interface for timers that are counted in thousands.
// Equal deadlines fire in key order, so a run replays. O(log n).
template <class Key>
class DeadlineQueue {
 public:
  void set(const Key& key, Instant at) {
    stop(key);
    at_.emplace(key, at);
    order_.emplace(at, key);
  }
  void stop(const Key& key) {
    const auto it = at_.find(key);
    if (it == at_.end()) return;
    order_.erase({it->second, key});
    at_.erase(it);
  }
  std::optional<Instant> deadline(const Key& key) const {
    const auto it = at_.find(key);
    return it == at_.end() ? std::nullopt : std::optional(it->second);
  }
  // The key whose time has come first; it is stopped then.
  std::optional<Key> take_expired(Instant now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const Key key = order_.begin()->second;
    stop(key);
    return key;
  }
  std::optional<Instant> next() const {
    return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
  }
  std::size_t size() const { return at_.size(); }

 private:
  std::map<Key, Instant> at_;
  std::set<std::pair<Instant, Key>> order_;
};

}  // namespace ginnel
