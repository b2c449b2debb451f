// Whether handshakes come faster than we want to compute them (the WireGuard paper, section 5.3:
// "under load" is a local decision).
#pragma once
#include <optional>

#include "base/instant.h"

namespace ginnel::wg {

class LoadGauge {
 public:
  explicit LoadGauge(std::uint32_t per_second_max) : per_second_max_(per_second_max) {}

  // One handshake message with right mac1 came.
  void note(Instant now) {
    if (!window_start_ || now - *window_start_ >= kWindow) {
      window_start_ = now;
      count_ = 0;
    }
    if (++count_ > per_second_max_) loaded_until_ = now + kWindow;
  }
  // The owner knows better: its queues, its processor.
  void force(bool under_load) { forced_ = under_load; }
  bool is_under_load(Instant now) const {
    return forced_ || (loaded_until_ && now < *loaded_until_);
  }

 private:
  static constexpr Nanoseconds kWindow = 1s;

  const std::uint32_t per_second_max_;
  bool forced_ = false;
  std::uint32_t count_ = 0;
  std::optional<Instant> window_start_;
  std::optional<Instant> loaded_until_;
};

}  // namespace ginnel::wg
