// How much of what was sent lately got lost, as seen by probes: of the last 64, those without an
// answer.
//
//   window.note(true);                       // answered
//   const auto loss = window.loss();         // 0..1; nullopt: too few to say
//
// Never allocates.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

namespace ginnel::path {

class LossWindow {
 public:
  static constexpr int kProbes = 64;
  static constexpr int kProbesMin = 8;  // fewer say nothing

  void note(bool answered) {
    lost_ = (lost_ << 1) | (answered ? 0u : 1u);
    probes_ = std::min(probes_ + 1, kProbes);
  }
  void clear() { *this = {}; }
  std::optional<double> loss() const {
    if (probes_ < kProbesMin) return std::nullopt;
    return static_cast<double>(std::popcount(lost_)) / probes_;
  }

 private:
  std::uint64_t lost_ = 0;  // the newest in bit 0
  int probes_ = 0;
};

}  // namespace ginnel::path
