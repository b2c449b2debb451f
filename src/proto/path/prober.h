// Probes sent to one place and what their answers tell: that the path works, how long it takes.
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

namespace ginnel::path {

class Prober {
 public:
  // Probes whose answers are awaited. One more pushes out the oldest: its answer no longer counts.
  static constexpr std::size_t kOutstandingMax = 8;

  struct Answered {
    Nanoseconds rtt;
    std::size_t mtu_bytes = 0;  // what the probe tested; 0: nothing
  };

  // `transaction`: random, so that only who received a probe can answer it.
  explicit Prober(std::uint64_t transaction) : transaction_(transaction) {}

  std::uint64_t transaction() const { return transaction_; }
  // A probe goes out now; returns its sequence.
  std::uint32_t begin(Instant now, std::size_t mtu_bytes) {
    outstanding_[next_++ % kOutstandingMax] = Outstanding{++sequence_, now, mtu_bytes};
    return sequence_;
  }
  // Each answer counts once. nullopt: to nothing that was sent, or not for a long time.
  std::optional<Answered> take_answer(Instant now, std::uint64_t transaction,
                                      std::uint32_t sequence) {
    if (transaction != transaction_) return std::nullopt;
    for (auto& slot : outstanding_) {
      if (!slot || slot->sequence != sequence) continue;
      const Answered out{now - slot->sent, slot->mtu_bytes};
      slot.reset();
      note_rtt(out.rtt);
      return out;
    }
    return std::nullopt;
  }
  // Smoothed with 1/8, as TCP does (RFC 6298 section 2). nullopt: no answer yet.
  std::optional<Nanoseconds> rtt() const { return rtt_; }

 private:
  struct Outstanding {
    std::uint32_t sequence = 0;
    Instant sent;
    std::size_t mtu_bytes = 0;
  };
  void note_rtt(Nanoseconds sample) { rtt_ = rtt_ ? *rtt_ + (sample - *rtt_) / 8 : sample; }

  std::uint64_t transaction_;
  std::uint32_t sequence_ = 0;
  std::size_t next_ = 0;
  std::array<std::optional<Outstanding>, kOutstandingMax> outstanding_{};
  std::optional<Nanoseconds> rtt_;
};

}  // namespace ginnel::path
