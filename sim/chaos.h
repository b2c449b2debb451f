// One run of chaos: from a seed, a network of 5 to 12 whole nodes at sites of every NAT kind,
// programs that never stop talking, and faults of every kind. Safety is watched all the time; then
// the faults stop, and within a bound everybody must be connected to everybody and every message
// through.
//
//   const ChaosResult result = run_chaos({.seed = 0x1f3a});
//   if (!result.ok()) std::puts(result.report.c_str());
#pragma once
#include <array>
#include <string>

#include "sim/fault_plan.h"
#include "sim/traffic.h"

namespace ginnel::sim {

struct ChaosOptions {
  std::uint64_t seed = 1;
  int minutes = 5;               // with faults; about one more without
  double faults_per_minute = 3;  // at least 1
  // Of the nodes, those whose packets a forwarding plane moves; they talk to those without.
  double planes = 0.5;
};

struct ChaosResult {
  std::size_t hubs = 0;
  std::size_t nodes = 0;                            // hubs too
  std::array<std::uint64_t, kFaultKinds> faults{};  // done, by kind
  Traffic::Counts traffic;
  std::uint64_t events = 0;
  std::uint64_t hash = 0;  // of the trace: equal for equal runs
  std::string report;      // violations, faults and the last events; empty: none

  bool ok() const { return report.empty(); }
  std::uint64_t faults_total() const;
};

ChaosResult run_chaos(const ChaosOptions& options);

}  // namespace ginnel::sim
