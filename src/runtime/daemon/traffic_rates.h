// How fast packets move to and from each peer: what `status` shows beside the totals.
//
//   rates.sample(now, status.peers);   // each kEvery
//   rates.of(peer)                     // between the last two samples
//
// Values; no clock of its own.
#pragma once
#include <ginnel/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.h"

namespace ginnel::runtime {

struct TrafficRate {
  double rx = 0;  // bits per second
  double tx = 0;
};

class TrafficRates {
 public:
  static constexpr Nanoseconds kEvery = 1s;

  // A peer that is not in `peers` any more is forgotten.
  void sample(Instant now, const std::vector<PeerInfo>& peers);
  // 0 for a peer that was not sampled twice.
  TrafficRate of(const PeerInfo& peer) const;

 private:
  // A stock WireGuard peer has a name only.
  using Key = std::pair<Id, std::string>;
  struct Row {
    Instant at;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    TrafficRate rate{};
  };
  std::map<Key, Row> rows_;
};

}  // namespace ginnel::runtime
