// How long a peer has been silent while something waits for it to arrive there.
//
// Time counts only in small steps, each seen: a host that was asleep for a minute did not listen
// for a minute, and its peers are not gone for that.
#pragma once
#include <algorithm>
#include <optional>

#include "base/instant.h"

namespace ginnel::node {

class Absence {
 public:
  // Between two looks; a longer pause counts as one of twice this.
  static constexpr Nanoseconds kStep = 1s;

  // `heard`: when the peer was heard last. `waits`: something has not arrived.
  void look(Instant now, std::optional<Instant> heard, bool waits) {
    if (!waits) {
      looked_.reset();
      return;
    }
    if (!looked_ || (heard && *heard >= *looked_)) {
      silent_ = Nanoseconds(0);
    } else {
      silent_ += std::min(now - *looked_, 2 * kStep);
    }
    looked_ = now;
  }
  void stop() { looked_.reset(); }
  Nanoseconds silent() const { return looked_ ? silent_ : Nanoseconds(0); }
  std::optional<Instant> next_look() const {
    return looked_ ? std::optional(*looked_ + kStep) : std::nullopt;
  }

 private:
  std::optional<Instant> looked_;  // set: something waits
  Nanoseconds silent_{};
};

}  // namespace ginnel::node
