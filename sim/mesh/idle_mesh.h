// A mesh whose peers have nothing to say to each other: how many sessions gossip holds open, and what
// it costs. All peers are behind NATs, one leg of 12.5 ms from the internet.
//
//   const IdleMeshResult result = run_idle_mesh({.peers = 100, .seed = 1});
#pragma once
#include <cstdint>
#include <optional>

#include "base/instant.h"
#include "proto/swim/config.h"

namespace ginnel::sim {

struct IdleMeshOptions {
  std::size_t peers = 100;
  std::size_t hubs = 1;
  std::uint64_t seed = 1;
  Nanoseconds join_interval = 50ms;    // one peer starts after another
  Nanoseconds settle = 15min;          // then old sessions have ended
  Nanoseconds measure = 5min;
  std::optional<swim::Config> gossip = swim::Config::wan();  // nullopt: to compare with
};

struct IdleMeshResult {
  Nanoseconds converged{};  // after the last start until all were members to all; 0: never
  std::size_t sessions_max = 0;   // of one peer, with keys, at the end
  double sessions_mean = 0;
  std::size_t direct_pairs = 0;   // whose session is on another path than a relay
  double peer_bytes_per_second = 0;    // sent by one peer, IP and UDP headers not counted
  double peer_packets_per_second = 0;
  double hub_bytes_per_second = 0;     // sent by one hub
};

IdleMeshResult run_idle_mesh(const IdleMeshOptions& options);

}  // namespace ginnel::sim
