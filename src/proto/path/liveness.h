// Is a path alive? Judged by authenticated packets alone: one that was sent to and stays silent for
// max(3 RTT, 1 s) is dead.
//
// Never allocates.
#pragma once
#include <algorithm>
#include <optional>

#include "base/instant.h"

namespace ginnel::path {

class Liveness {
 public:
  // No authenticated receive for max(3 RTT, 1 s) while sending.
  static constexpr Nanoseconds kDeadAfter = 1s;
  // When there is reason to doubt (our network changed), less patience.
  static constexpr Nanoseconds kDoubtedDeadAfter = 300ms;

  void note_sent(Instant now) {
    if (!unanswered_since_ && now >= received_.value_or(now)) unanswered_since_ = now;
  }
  // `now` may lie before what was told last: forwarding threads are asked now and then.
  void note_received(Instant now) {
    received_ = std::max(received_.value_or(now), now);
    if (unanswered_since_ && *unanswered_since_ > now) return;
    unanswered_since_.reset();
    doubted_ = false;
  }
  // From now on an answer is expected, and soon.
  void doubt(Instant now) {
    doubted_ = true;
    unanswered_since_ = now;
  }

  bool is_doubted() const { return doubted_; }
  std::optional<Instant> received() const { return received_; }
  // The first packet sent since anything was received.
  std::optional<Instant> unanswered_since() const { return unanswered_since_; }
  // When it is to be taken for dead; nullopt: no reason to.
  std::optional<Instant> dies_at(std::optional<Nanoseconds> rtt) const {
    if (!unanswered_since_) return std::nullopt;
    const Nanoseconds least = doubted_ ? kDoubtedDeadAfter : kDeadAfter;
    return *unanswered_since_ + std::max(least, 3 * rtt.value_or(0ns));
  }

 private:
  std::optional<Instant> received_;
  std::optional<Instant> unanswered_since_;
  bool doubted_ = false;
};

}  // namespace ginnel::path
