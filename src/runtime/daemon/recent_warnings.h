// The node's warnings that `status` still shows: each for kShownFor after it came last.
//
// Values; no clock of its own.
#pragma once
#include <vector>

#include "base/instant.h"
#include "node/events.h"

namespace ginnel::runtime {

class RecentWarnings {
 public:
  static constexpr Nanoseconds kShownFor = 600s;
  // At the limit the oldest one goes.
  static constexpr std::size_t kWarningsMax = 16;

  // Only what has a code and is at least a warning is kept.
  void add(Instant now, const node::Notice& notice);
  // Oldest first.
  std::vector<node::Notice> at(Instant now) const;

 private:
  struct Row {
    Instant until;
    node::Notice notice;
  };
  std::vector<Row> rows_;
};

}  // namespace ginnel::runtime
