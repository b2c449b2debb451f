// What will go wrong, and when: a list made from a seed before the run, so that it can be printed,
// counted and replayed. FaultInjector carries it out.
//
//   const FaultTargets targets = targets_of(world, hubs);
//   FaultPlan plan = make_fault_plan({.start = Instant{} + 10s, .stop = Instant{} + 10min},
//   targets,
//                                    world.fork("faults"));
//
// Every fault is over by `stop`; what must hold then is liveness.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "sim/world.h"

namespace ginnel::sim {

enum class FaultKind : std::uint8_t {
  kLossBurst,         // 30 to 90 % on one link, both ways
  kPartition,         // the sites in two halves that do not hear each other
  kOneWayPartition,   // the same, but one half still hears the other
  kClog,              // one direction of a link holds everything, then lets go
  kLinkDown,          // both ways
  kNatRebind,         // a box forgets its mappings
  kNatAddressChange,  // and gets another outside address
  kHostCrash,         // and restart, with its disk
  kHubRestart,        // the same for a hub
  kClockJump,         // of the wall clock, up to 10 minutes either way, and back
  kDuplicationStorm,  // half of all packets twice, on one link, both ways
  kMtuDrop,           // of one link, to 1280..1420
  kPathCut,           // two sites do not hear each other; everything else works
  kDelay,             // 50 to 500 ms more on one link, both ways
  kReorder,           // half of all packets 10 ms late, on one link, both ways
  kCorruption,        // one bit flipped in a fifth of all packets, on one link, both ways
  kRoam,              // a machine moves to another LAN, and back to its own with a new address
  kSuspend,           // a machine sleeps: it does and hears nothing, and its memory stays
  kCount,
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::kCount);

std::string_view fault_name(FaultKind kind);

struct Fault {
  Instant at;
  Nanoseconds duration{0};
  FaultKind kind = FaultKind::kLossBurst;
  std::uint32_t subject = 0;        // number of the machine, attachment or box
  std::uint32_t object = 0;         // the other site of kPathCut, the zone of kRoam
  double amount = 0;                // a probability; seconds (clock, delay); bytes of MTU
  std::vector<AttachmentId> group;  // one half of a partition; the others are the rest

  std::string text() const;
};
using FaultPlan = std::vector<Fault>;  // by time

struct FaultTargets {
  std::vector<MachineId> peers;
  std::vector<MachineId> hubs;
  std::vector<AttachmentId> links;       // of machines and boxes
  std::vector<AttachmentId> sites;       // attachments in the internet
  std::vector<AttachmentId> peer_sites;  // those with no hub behind
  std::vector<BoxId> boxes;              // that translate, at the internet
  std::vector<MachineId> movable;        // peers in LANs
  std::vector<ZoneId> lans;              // that have a peer in them
};

// Everything in the world as it is now; `hubs` are told apart from peers.
FaultTargets targets_of(const World& world, const std::vector<MachineId>& hubs);

struct FaultPlanOptions {
  Instant start;
  Instant stop;
  double per_minute = 1;  // one fault at a random moment of each 60 s / per_minute
  Nanoseconds duration_min = 500ms;
  Nanoseconds duration_max = 15s;
  // How often each kind is chosen, relative to the others; 0: never.
  std::array<double, kFaultKinds> weights = [] {
    std::array<double, kFaultKinds> out{};
    out.fill(1);
    return out;
  }();
};

FaultPlan make_fault_plan(const FaultPlanOptions& options, const FaultTargets& targets, Rng rng);

}  // namespace ginnel::sim
