#include "sim/fault_plan.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"

namespace ginnel::sim {
namespace {

constexpr std::array<std::string_view, kFaultKinds> kNames = {"loss burst",
                                                              "partition",
                                                              "one-way partition",
                                                              "clog",
                                                              "link down",
                                                              "nat rebind",
                                                              "nat address change",
                                                              "host crash",
                                                              "hub restart",
                                                              "clock jump",
                                                              "duplication storm",
                                                              "mtu drop",
                                                              "path cut",
                                                              "delay",
                                                              "reorder",
                                                              "corruption",
                                                              "roam",
                                                              "suspend"};

template <class T>
T pick(const std::vector<T>& from, Rng& rng) {
  return from[rng.below(from.size())];
}

bool has_target(FaultKind kind, const FaultTargets& targets) {
  switch (kind) {
    case FaultKind::kPartition:
    case FaultKind::kOneWayPartition:
      return targets.sites.size() >= 2;
    case FaultKind::kNatRebind:
    case FaultKind::kNatAddressChange:
      return !targets.boxes.empty();
    case FaultKind::kHostCrash:
    case FaultKind::kClockJump:
    case FaultKind::kSuspend:
      return !targets.peers.empty();
    case FaultKind::kRoam:
      return targets.lans.size() >= 2;
    case FaultKind::kHubRestart:
      return !targets.hubs.empty();
    case FaultKind::kPathCut:
      return targets.peer_sites.size() >= 2;
    default:
      return !targets.links.empty();
  }
}

FaultKind pick_kind(const FaultPlanOptions& options, const FaultTargets& targets, Rng& rng) {
  std::array<double, kFaultKinds> weights = options.weights;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    if (!has_target(static_cast<FaultKind>(i), targets)) weights[i] = 0;
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  GINNEL_ASSERT(total > 0);
  double at = rng.uniform() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    if (at < weights[i]) break;
    at -= weights[i];
  }
  return static_cast<FaultKind>(last);
}

// Some of the sites, but neither none nor all.
std::vector<AttachmentId> half_of(const std::vector<AttachmentId>& sites, Rng& rng) {
  std::vector<AttachmentId> out;
  const std::size_t certain_in = rng.below(sites.size());
  const std::size_t certain_out = (certain_in + 1 + rng.below(sites.size() - 1)) % sites.size();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if (i == certain_in || (i != certain_out && rng.chance(0.5))) out.push_back(sites[i]);
  }
  return out;
}

void aim(Fault& fault, const FaultTargets& targets, Rng& rng) {
  switch (fault.kind) {
    case FaultKind::kPartition:
    case FaultKind::kOneWayPartition:
      fault.group = half_of(targets.sites, rng);
      break;
    case FaultKind::kNatRebind:
    case FaultKind::kNatAddressChange:
      fault.subject = pick(targets.boxes, rng).value();
      break;
    case FaultKind::kHostCrash:
    case FaultKind::kSuspend:
      fault.subject = pick(targets.peers, rng).value();
      break;
    case FaultKind::kRoam:
      fault.subject = pick(targets.movable, rng).value();
      fault.object = pick(targets.lans, rng).value();
      break;
    case FaultKind::kHubRestart:
      fault.subject = pick(targets.hubs, rng).value();
      break;
    case FaultKind::kClockJump:
      fault.subject = pick(targets.peers, rng).value();
      fault.amount = (rng.uniform() * 2 - 1) * 600;
      break;
    case FaultKind::kPathCut: {
      const auto& sites = targets.peer_sites;
      const std::size_t first = rng.below(sites.size());
      fault.subject = sites[first].value();
      fault.object = sites[(first + 1 + rng.below(sites.size() - 1)) % sites.size()].value();
      break;
    }
    default:
      fault.subject = pick(targets.links, rng).value();
      break;
  }
  if (fault.kind == FaultKind::kLossBurst) fault.amount = 0.3 + 0.6 * rng.uniform();
  if (fault.kind == FaultKind::kDuplicationStorm) fault.amount = 0.5;
  if (fault.kind == FaultKind::kDelay) fault.amount = 0.05 + 0.45 * rng.uniform();
  if (fault.kind == FaultKind::kReorder) fault.amount = 0.5;
  if (fault.kind == FaultKind::kCorruption) fault.amount = 0.2;
  if (fault.kind == FaultKind::kMtuDrop) fault.amount = 1280 + static_cast<double>(rng.below(141));
  if (fault.kind == FaultKind::kClog) fault.object = static_cast<std::uint32_t>(rng.below(2));
}

// Behind a box that translates, so that any private address will do.
bool is_private_lan(const Topology& net, ZoneId zone) {
  const auto gateway = net.zone(zone).gateway;
  return gateway && net.box(*gateway).nat.translates(Address::v4(0));
}

}  // namespace

std::string_view fault_name(FaultKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string Fault::text() const {
  const auto seconds = [](std::int64_t ns) { return std::to_string(ns / 1'000'000) + " ms"; };
  std::string out = "at " + seconds(at.ns) + ": " + std::string(fault_name(kind)) + " of " +
                    std::to_string(subject) + " for " + seconds(duration.count());
  if (kind == FaultKind::kPathCut || kind == FaultKind::kRoam)
    out += " to " + std::to_string(object);
  for (const AttachmentId id : group) out += " " + std::to_string(id.value());
  return out;
}

FaultTargets targets_of(const World& world, const std::vector<MachineId>& hubs) {
  FaultTargets out;
  const Topology& net = world.net();
  std::vector<AttachmentId> hub_sites;
  for (std::uint32_t i = 0; i < world.machines(); ++i) {
    const MachineId id{i};
    const bool is_hub = std::ranges::find(hubs, id) != hubs.end();
    (is_hub ? out.hubs : out.peers).push_back(id);
    for (const AttachmentId at : world.machine(id).attachments()) {
      if (is_hub) {
        hub_sites.push_back(net.wan_of(at));
      } else if (const ZoneId zone = net.attachment(at).zone; is_private_lan(net, zone)) {
        out.movable.push_back(id);
        if (std::ranges::find(out.lans, zone) == out.lans.end()) out.lans.push_back(zone);
      }
    }
  }
  for (std::uint32_t i = 0; i < net.attachments(); ++i) {
    const AttachmentId id{i};
    if (!net.attachment(id).connected) continue;
    out.links.push_back(id);
    if (net.attachment(id).zone != Topology::kInternet) continue;
    out.sites.push_back(id);
    if (std::ranges::find(hub_sites, id) == hub_sites.end()) out.peer_sites.push_back(id);
    const auto box = net.attachment(id).box;
    if (box && net.box(*box).nat.translates(Address::v4(0))) out.boxes.push_back(*box);
  }
  return out;
}

FaultPlan make_fault_plan(const FaultPlanOptions& options, const FaultTargets& targets, Rng rng) {
  GINNEL_ASSERT(options.per_minute > 0);
  const Nanoseconds slot{static_cast<std::int64_t>(60e9 / options.per_minute)};
  FaultPlan out;
  for (Instant at = options.start; at + slot <= options.stop; at = at + slot) {
    Fault fault{.at = at + rng.between(0ns, slot), .kind = pick_kind(options, targets, rng)};
    fault.duration =
        std::min(rng.between(options.duration_min, options.duration_max), options.stop - fault.at);
    aim(fault, targets, rng);
    out.push_back(std::move(fault));
  }
  std::ranges::stable_sort(out, {}, &Fault::at);
  return out;
}

}  // namespace ginnel::sim
