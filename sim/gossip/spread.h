// How shared data (proto/swim/metadata) spreads: in how many gossip rounds a change is everywhere,
// what it costs, and what the exchange of digests costs while nothing changes.
#pragma once
#include <vector>

#include "sim/gossip/agent_net.h"

namespace ginnel::sim {

struct SpreadOptions {
  std::uint64_t seed = 1;
  std::uint32_t members = 1000;
  std::uint32_t keys = 10'000;
  std::size_t value_bytes = 32;
  double loss = 0;              // of datagrams
  std::uint32_t changes = 20;   // each by a random member, one after the other
  Nanoseconds quiet = 60s;      // how long the cost of doing nothing is measured
};

struct SpreadResult {
  bool all_have_all = false;           // every newcomer, 5 s after the last one came
  std::vector<double> rounds_most;     // of each change: gossip rounds until 99 % of the members
  std::vector<double> rounds_all;      // and all of them
  std::uint32_t late = 0;              // members that had a change only from an exchange, or never
  double bytes_per_exchange = 0;       // of one that finds nothing, with IPv4 and UDP headers
  double exchanges_per_second = 0;     // per member
  std::uint64_t differing = 0;         // exchanges that found something while nothing changed
};
SpreadResult run_spread(const SpreadOptions& options);

}  // namespace ginnel::sim
