// At most N events in any window, remembered exactly. Never allocates.
#pragma once
#include <array>
#include <cstddef>

#include "base/instant.h"

namespace ginnel::path {

template <std::size_t N>
class RateCap {
 public:
  explicit RateCap(Nanoseconds window) : window_(window) {}

  bool has_room(Instant now) const { return count_ < N || now - at_[next_] >= window_; }
  void note(Instant now) {
    at_[next_] = now;
    next_ = (next_ + 1) % N;
    if (count_ < N) ++count_;
  }
  void reset() { count_ = next_ = 0; }

 private:
  Nanoseconds window_;
  std::array<Instant, N> at_{};  // the last N events; the oldest at next_ once there are N
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace ginnel::path
