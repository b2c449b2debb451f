#include "sim/fault_injector.h"

#include <algorithm>
#include <numeric>

namespace ginnel::sim {

FaultInjector::FaultInjector(World& world, FaultPlan plan) : world_(world), plan_(std::move(plan)) {
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    world_.call_at(plan_[i].at, [this, i](World&) {
      const Fault& fault = plan_[i];
      world_.trace().add({.at = world_.now(),
                          .kind = TraceKind::kFault,
                          .subject = static_cast<std::uint32_t>(fault.kind),
                          .detail = i});
      if (apply(fault)) ++done_[static_cast<std::size_t>(fault.kind)];
    });
  }
}

std::uint64_t FaultInjector::done_total() const {
  return std::accumulate(done_.begin(), done_.end(), std::uint64_t{0});
}

bool FaultInjector::apply(const Fault& fault) {
  const Instant until = fault.at + fault.duration;
  switch (fault.kind) {
    case FaultKind::kPartition:
    case FaultKind::kOneWayPartition:
      partition(fault, until);
      return true;
    case FaultKind::kPathCut: {
      const std::array<AttachmentId, 1> one{AttachmentId{fault.subject}};
      const std::array<AttachmentId, 1> other{AttachmentId{fault.object}};
      world_.net().block(world_.now(), one, other, until);
      world_.net().block(world_.now(), other, one, until);
      return true;
    }
    case FaultKind::kNatRebind:
    case FaultKind::kNatAddressChange:
      return apply_to_box(fault);
    case FaultKind::kHostCrash:
    case FaultKind::kHubRestart:
      return crash(fault);
    case FaultKind::kClockJump:
      return jump_clock(fault);
    case FaultKind::kRoam:
      return roam(fault);
    case FaultKind::kSuspend:
      return suspend(fault);
    default:
      return apply_to_link(fault, until);
  }
}

bool FaultInjector::apply_to_link(const Fault& fault, Instant until) {
  Attachment& attachment = world_.net().attachment(AttachmentId{fault.subject});
  if (!attachment.connected) return false;
  Disturbance disturbance{.until = until};
  if (fault.kind == FaultKind::kLossBurst) disturbance.loss = fault.amount;
  if (fault.kind == FaultKind::kDuplicationStorm) disturbance.duplicate = fault.amount;
  if (fault.kind == FaultKind::kReorder) disturbance.reorder = fault.amount;
  if (fault.kind == FaultKind::kCorruption) disturbance.corrupt = fault.amount;
  if (fault.kind == FaultKind::kDelay) {
    disturbance.delay = Nanoseconds{static_cast<std::int64_t>(fault.amount * 1e9)};
  }
  if (fault.kind == FaultKind::kLinkDown) disturbance.down = true;
  if (fault.kind == FaultKind::kClog) disturbance.clogged = true;
  if (fault.kind == FaultKind::kMtuDrop) {
    disturbance.mtu_bytes = static_cast<std::size_t>(fault.amount);
  }
  const bool one_direction = fault.kind == FaultKind::kClog;
  if (!one_direction || fault.object == 0) attachment.up.disturb(world_.now(), disturbance);
  if (!one_direction || fault.object == 1) attachment.down.disturb(world_.now(), disturbance);
  return true;
}

bool FaultInjector::apply_to_box(const Fault& fault) {
  const BoxId box{fault.subject};
  if (fault.kind == FaultKind::kNatRebind) {
    world_.net().box(box).nat.flush();
    return true;
  }
  const std::uint16_t n = ++outside_addresses_;
  world_.net().set_outside(
      box, Address::v4(198, 19, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)));
  return true;
}

bool FaultInjector::crash(const Fault& fault) {
  const MachineId machine{fault.subject};
  if (!world_.machine(machine).is_up()) return false;
  world_.crash(machine);
  world_.call_at(fault.at + fault.duration, [machine](World& world) { world.start(machine); });
  return true;
}

bool FaultInjector::jump_clock(const Fault& fault) {
  const MachineId machine{fault.subject};
  const Nanoseconds by{static_cast<std::int64_t>(fault.amount * 1e9)};
  world_.jump_wall(machine, by);
  world_.call_at(fault.at + fault.duration,
                 [machine, by](World& world) { world.jump_wall(machine, -by); });
  return true;
}

bool FaultInjector::roam(const Fault& fault) {
  const MachineId machine{fault.subject};
  const auto& attachments = world_.machine(machine).attachments();
  if (attachments.empty()) return false;
  homes_.emplace(machine, world_.net().attachment(attachments.front()).zone);
  move(machine, ZoneId{fault.object});
  world_.call_at(fault.at + fault.duration,
                 [this, machine](World&) { move(machine, homes_.at(machine)); });
  return true;
}

void FaultInjector::move(MachineId machine, ZoneId zone) {
  world_.detach(world_.machine(machine).attachments().front());
  const auto host = static_cast<std::uint8_t>(100 + inside_addresses_++ % 150);
  world_.attach(machine, zone, {Address::v4(192, 168, 1, host)});
}

bool FaultInjector::suspend(const Fault& fault) {
  const MachineId machine{fault.subject};
  if (!world_.machine(machine).is_running()) return false;
  world_.suspend(machine);
  world_.call_at(fault.at + fault.duration, [machine](World& world) { world.resume(machine); });
  return true;
}

void FaultInjector::partition(const Fault& fault, Instant until) {
  Topology& net = world_.net();
  std::vector<AttachmentId> rest;
  for (std::uint32_t i = 0; i < net.attachments(); ++i) {
    const AttachmentId id{i};
    if (net.attachment(id).zone != Topology::kInternet) continue;
    if (std::ranges::find(fault.group, id) == fault.group.end()) rest.push_back(id);
  }
  net.block(world_.now(), fault.group, rest, until);
  if (fault.kind == FaultKind::kPartition) net.block(world_.now(), rest, fault.group, until);
}

}  // namespace ginnel::sim
