// Local health (Lifeguard section IV-A): how much we doubt ourselves, from 0. A member whose probes
// fail and who is suspected by others waits longer before it accuses anybody.
#pragma once
#include <algorithm>
#include <cstdint>

#include "base/instant.h"

namespace ginnel::swim {

class Awareness {
 public:
  // Scores go from 0 to max_multiplier - 1; 1 switches local health off.
  explicit Awareness(std::uint32_t max_multiplier)
      : max_(static_cast<int>(std::max<std::uint32_t>(max_multiplier, 1)) - 1) {}

  void apply(int delta) { score_ = std::clamp(score_ + delta, 0, max_); }
  int score() const { return score_; }
  Nanoseconds scaled(Nanoseconds timeout) const { return timeout * (score_ + 1); }

 private:
  int max_;
  int score_ = 0;
};

}  // namespace ginnel::swim
