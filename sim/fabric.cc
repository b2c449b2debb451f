#include "sim/fabric.h"

#include <numeric>

namespace ginnel::sim {
namespace {

DropReason reason_of(NatVerdict verdict) {
  switch (verdict) {
    case NatVerdict::kFiltered:
      return DropReason::kNatFiltered;
    case NatVerdict::kBlocked:
      return DropReason::kNatBlocked;
    case NatVerdict::kNoHairpin:
      return DropReason::kNatNoHairpin;
    case NatVerdict::kFull:
      return DropReason::kNatFull;
    case NatVerdict::kLocal:
      return DropReason::kNatLocal;
    default:
      return DropReason::kNatNoMapping;
  }
}

}  // namespace

std::uint64_t Fabric::dropped_total() const {
  return std::accumulate(dropped_.begin(), dropped_.end(), std::uint64_t{0});
}

void Fabric::count_drop(Instant now, AttachmentId at, const Datagram& datagram, DropReason reason) {
  ++dropped_[static_cast<std::size_t>(reason)];
  trace_.add({now, TraceKind::kDrop, at.value(), static_cast<std::uint64_t>(reason),
              datagram.source, datagram.target});
}

void Fabric::drop(Instant now, std::uint32_t index, DropReason reason) {
  const Packet& packet = pool_[index];
  count_drop(now, packet.at, {.source = packet.source, .target = packet.target}, reason);
  pool_.release(index);
}

std::optional<std::size_t> Fabric::send(Instant now, AttachmentId from, const Datagram& datagram) {
  const auto index = pool_.take();
  if (!index) {
    count_drop(now, from, datagram, DropReason::kTooManyPackets);
    return std::nullopt;
  }
  Packet& packet = pool_[*index];
  packet.source = datagram.source;
  packet.target = datagram.target;
  packet.ttl = datagram.ttl;
  packet.ecn = datagram.ecn;
  packet.at = from;
  packet.bytes.assign(datagram.bytes.begin(), datagram.bytes.end());
  Link& up = net_.attachment(from).up;
  const std::size_t mtu_bytes = up.mtu_bytes(now);
  if (packet.ip_bytes() > mtu_bytes) {
    drop(now, *index, DropReason::kTooBig);
    return mtu_bytes;
  }
  // Always by an event, even without delay: a host is never called while it sends.
  if (enter(now, *index, up, Stage::kMedium, from)) schedule(*index, {.at = now});
  return std::nullopt;
}

void Fabric::schedule(std::uint32_t index, const Passage::Copy& copy) {
  if (copy.corrupted) corrupt(pool_[index]);
  queue_.add(copy.at, EventKind::kPacket, index);
}

void Fabric::corrupt(Packet& packet) {
  if (packet.bytes.empty()) return;
  const std::uint64_t bit = rng_.below(packet.bytes.size() * 8);
  packet.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
}

bool Fabric::enter(Instant now, std::uint32_t index, Link& link, Stage next, AttachmentId at) {
  Packet& packet = pool_[index];
  const Passage passage = link.enter(now, packet.ip_bytes());
  if (passage.count == 0) {
    drop(now, index, passage.reason);
    return false;
  }
  packet.stage = next;
  packet.at = at;
  if (passage.count == 2) {
    if (const auto copy = pool_.take()) {
      pool_[*copy] = packet;
      schedule(*copy, passage.copies[1]);
    }
  }
  if (passage.copies[0].at > now) {
    schedule(index, passage.copies[0]);
    return false;
  }
  if (passage.copies[0].corrupted) corrupt(packet);
  return true;
}

bool Fabric::count_down(Packet& packet) {
  if (packet.ttl <= 1) return false;
  --packet.ttl;
  return true;
}

bool Fabric::cross_medium(Instant now, std::uint32_t index) {
  Packet& packet = pool_[index];
  const AttachmentId from = packet.at;
  const Zone& zone = net_.zone(net_.attachment(from).zone);
  if (!zone.gateway && !count_down(packet)) {
    drop(now, index, DropReason::kTtlExpired);
    return false;
  }
  const auto route = zone.routes.find(packet.target.address);
  if (route == zone.routes.end()) {
    if (zone.gateway) return leave_by_gateway(now, index, *zone.gateway);
    drop(now, index, DropReason::kNoRoute);
    return false;
  }
  if (net_.is_blocked(now, from, route->second)) {
    drop(now, index, DropReason::kLinkDown);
    return false;
  }
  if (Link* pair = net_.find_across(from, route->second)) {
    return enter(now, index, *pair, Stage::kDownlink, route->second);
  }
  packet.stage = Stage::kDownlink;
  packet.at = route->second;
  return true;
}

bool Fabric::leave_by_gateway(Instant now, std::uint32_t index, BoxId gateway) {
  Packet& packet = pool_[index];
  Box& box = net_.box(gateway);
  // The TTL is looked at before the mapping is made: what dies here opens nothing.
  if (!count_down(packet)) {
    drop(now, index, DropReason::kTtlExpired);
    return false;
  }
  Flow flow{packet.source, packet.target};
  const NatVerdict verdict = box.nat.outbound(now, flow);
  packet.source = flow.source;
  packet.target = flow.target;
  if (verdict == NatVerdict::kHairpin) return go_inside(now, index, box);
  if (verdict != NatVerdict::kForward) {
    drop(now, index, reason_of(verdict));
    return false;
  }
  return enter(now, index, net_.attachment(box.outside).up, Stage::kMedium, box.outside);
}

bool Fabric::enter_box(Instant now, std::uint32_t index, BoxId id) {
  Packet& packet = pool_[index];
  Box& box = net_.box(id);
  Flow flow{packet.source, packet.target};
  const NatVerdict verdict = box.nat.inbound(now, flow);
  if (verdict != NatVerdict::kForward) {
    drop(now, index, reason_of(verdict));
    return false;
  }
  // After the box has looked: one that takes the packet for itself does so whatever its TTL.
  if (!count_down(packet)) {
    drop(now, index, DropReason::kTtlExpired);
    return false;
  }
  packet.target = flow.target;
  return go_inside(now, index, box);
}

bool Fabric::go_inside(Instant now, std::uint32_t index, const Box& box) {
  Packet& packet = pool_[index];
  const Zone& inside = net_.zone(box.inside);
  const auto route = inside.routes.find(packet.target.address);
  if (route == inside.routes.end()) {
    drop(now, index, DropReason::kNoRoute);
    return false;
  }
  packet.stage = Stage::kDownlink;
  packet.at = route->second;
  return true;
}

std::optional<Delivery> Fabric::advance(Instant now, std::uint32_t index) {
  for (bool goes_on = true; goes_on;) {
    const Packet& packet = pool_[index];
    Attachment& at = net_.attachment(packet.at);
    if (packet.stage == Stage::kMedium) {
      goes_on = cross_medium(now, index);
    } else if (!at.connected) {
      drop(now, index, DropReason::kLinkDown);
      goes_on = false;
    } else if (packet.stage == Stage::kDownlink) {
      goes_on = enter(now, index, at.down, Stage::kDevice, packet.at);
    } else if (at.box) {
      goes_on = enter_box(now, index, *at.box);
    } else {
      return Delivery{*at.machine, packet.at, index};
    }
  }
  return std::nullopt;
}

}  // namespace ginnel::sim
