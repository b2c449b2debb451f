// When to send again what was not answered: a first wait, doubled each time up to a longest one.
//
//   RetrySchedule retry({.first = 250ms, .longest = 1s});
//   retry.start(now);                       // due at once
//   if (retry.take_due(now)) send();
//   retry.stop();                           // answered
//
// Never allocates.
#pragma once
#include <algorithm>
#include <optional>

#include "base/instant.h"

namespace ginnel {

class RetrySchedule {
 public:
  struct Options {
    Nanoseconds first = 250ms;
    Nanoseconds longest = 1s;
  };

  explicit RetrySchedule(const Options& options) : options_(options), wait_(options.first) {}

  // Due now, and from then on until stop().
  void start(Instant now) {
    wait_ = options_.first;
    next_ = now;
  }
  void stop() { next_.reset(); }
  bool is_running() const { return next_.has_value(); }

  // True if it is time to send; the next time is then set.
  bool take_due(Instant now) {
    if (!next_ || *next_ > now) return false;
    next_ = now + wait_;
    wait_ = std::min(wait_ * 2, options_.longest);
    return true;
  }
  // True if it is time to send; nothing changes.
  bool is_due(Instant now) const { return next_ && *next_ <= now; }
  std::optional<Instant> next() const { return next_; }

 private:
  Options options_;
  Nanoseconds wait_;
  std::optional<Instant> next_;
};

}  // namespace ginnel
