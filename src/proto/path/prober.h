// Probes sent to one place and what their answers tell: that the path works, how long it takes, how
// much gets lost.
//
//   const auto sequence = prober.begin(now, 0);         // a probe goes out
//   if (const auto answered = prober.take_answer(now, transaction, sequence)) ...
//
// Never allocates.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "base/instant.h"
#include "proto/path/loss_window.h"

namespace ginnel::path {

class Prober {
 public:
  // Probes whose answers are awaited. One more pushes out the oldest: its answer no longer counts.
  static constexpr std::size_t kOutstandingMax = 8;
  // Without an answer for max(3 RTT, this), a probe counts as lost.
  static constexpr Nanoseconds kLostAfter = 1s;

  struct Answered {
    Nanoseconds rtt;
    std::size_t mtu_bytes = 0;  // what the probe tested; 0: nothing
  };

  // `transaction`: random, so that only who received a probe can answer it.
  explicit Prober(std::uint64_t transaction) : transaction_(transaction) {}

  std::uint64_t transaction() const { return transaction_; }
  // A probe goes out now; returns its sequence.
  std::uint32_t begin(Instant now, std::size_t mtu_bytes) {
    judge(now);
    auto& slot = outstanding_[next_++ % kOutstandingMax];
    if (slot) judge(*slot, false);
    slot = Outstanding{++sequence_, now, mtu_bytes};
    return sequence_;
  }
  // Each answer counts once. nullopt: to nothing that was sent, or not for a long time.
  std::optional<Answered> take_answer(Instant now, std::uint64_t transaction,
                                      std::uint32_t sequence) {
    if (transaction != transaction_) return std::nullopt;
    for (auto& slot : outstanding_) {
      if (!slot || slot->sequence != sequence) continue;
      const Answered out{now - slot->sent, slot->mtu_bytes};
      judge(*slot, true);
      slot.reset();
      note_rtt(out.rtt);
      return out;
    }
    return std::nullopt;
  }
  // Smoothed with 1/8, as TCP does (RFC 6298 section 2). nullopt: no answer yet.
  std::optional<Nanoseconds> rtt() const { return rtt_; }
  // Of the probes sent since forget_loss(). Those that test an MTU do not count: they may be too
  // large. nullopt: too few to say.
  std::optional<double> loss() const { return loss_.loss(); }
  // What was sent until now says nothing: the way was not open yet.
  void forget_loss() {
    loss_.clear();
    for (auto& slot : outstanding_) {
      if (slot) slot->judged = true;
    }
  }

 private:
  struct Outstanding {
    std::uint32_t sequence = 0;
    Instant sent;
    std::size_t mtu_bytes = 0;
    bool judged = false;  // it counts as lost already, or never
  };
  void judge(Instant now) {
    const Nanoseconds patience = std::max(kLostAfter, 3 * rtt_.value_or(0ns));
    for (auto& slot : outstanding_) {
      if (slot && now - slot->sent >= patience) judge(*slot, false);
    }
  }
  void judge(Outstanding& probe, bool answered) {
    if (!probe.judged && probe.mtu_bytes == 0) loss_.note(answered);
    probe.judged = true;
  }
  void note_rtt(Nanoseconds sample) { rtt_ = rtt_ ? *rtt_ + (sample - *rtt_) / 8 : sample; }

  std::uint64_t transaction_;
  std::uint32_t sequence_ = 0;
  std::size_t next_ = 0;
  std::array<std::optional<Outstanding>, kOutstandingMax> outstanding_{};
  std::optional<Nanoseconds> rtt_;
  LossWindow loss_;
};

}  // namespace ginnel::path
