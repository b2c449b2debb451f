// How a cluster of many members behaves: how fast newcomers are known, what it costs to do nothing,
// how soon a death is known, and how long a healed partition takes to be forgotten.
#pragma once
#include "sim/gossip/gossip_net.h"

namespace ginnel::sim {

struct ScaleOptions {
  std::uint64_t seed = 1;
  std::uint32_t members = 1000;
  Nanoseconds join_gap = 5ms;  // between one newcomer and the next, each by way of an earlier one
  Nanoseconds quiet = 120s;    // how long the cost of doing nothing is measured
  std::uint32_t killed = 10;   // one after the other, the whole cluster knowing each
  Nanoseconds partition = 0s;  // of two halves; 0: none
};

struct ScaleResult {
  std::optional<Nanoseconds> joined;  // from the last join until everybody knows everybody
  GossipTraffic idle;                 // while nothing happens
  std::vector<Nanoseconds> first;     // of each kill: until somebody says so
  std::vector<Nanoseconds> all;       // until everybody does
  std::uint64_t false_positives = 0;  // living members declared dead, outside of the partition
  std::optional<Nanoseconds> healed;  // after the partition, until everybody knows everybody
};
ScaleResult run_scale(const ScaleOptions& options);

}  // namespace ginnel::sim
