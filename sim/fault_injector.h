// Carries out a plan of faults in a world.
//
//   FaultInjector chaos(world, plan);   // must outlive the plan's last event
//   world.run_until(stop + quiet);
//   chaos.done(FaultKind::kClog);
#pragma once
#include <array>
#include <map>

#include "sim/fault_plan.h"

namespace ginnel::sim {

class FaultInjector {
 public:
  // Schedules every fault, and what undoes it.
  FaultInjector(World& world, FaultPlan plan);
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  // Faults of this kind that took place; one whose target was gone or down already is not counted.
  std::uint64_t done(FaultKind kind) const { return done_[static_cast<std::size_t>(kind)]; }
  std::uint64_t done_total() const;
  const FaultPlan& plan() const { return plan_; }

 private:
  bool apply(const Fault& fault);
  bool apply_to_link(const Fault& fault, Instant until);
  bool apply_to_box(const Fault& fault);
  bool crash(const Fault& fault);
  bool jump_clock(const Fault& fault);
  bool roam(const Fault& fault);
  bool suspend(const Fault& fault);
  void move(MachineId machine, ZoneId zone);
  void partition(const Fault& fault, Instant until);

  World& world_;
  FaultPlan plan_;
  std::array<std::uint64_t, kFaultKinds> done_{};
  std::uint16_t outside_addresses_ = 0;  // handed out: 198.19.0.0/16
  std::uint16_t inside_addresses_ = 0;   // handed out: 192.168.1.100…249, in turn
  std::map<MachineId, ZoneId> homes_;    // of those that roamed
};

}  // namespace ginnel::sim
