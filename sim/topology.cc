#include "sim/topology.h"

#include <algorithm>

#include "base/assert.h"

namespace ginnel::sim {

Topology::Topology(Rng rng) : rng_(std::move(rng)), zones_(1) {}

AttachmentId Topology::add(Attachment attachment) {
  const AttachmentId id{static_cast<std::uint32_t>(attachments_.size())};
  attachments_.push_back(std::move(attachment));
  for (const Address& address : this->attachment(id).addresses) set_routes(id, address, true);
  return id;
}

BoxId Topology::add_lan(const NatConfig& nat, const LanOptions& options) {
  const BoxId id{static_cast<std::uint32_t>(boxes_.size())};
  const ZoneId inside{static_cast<std::uint32_t>(zones_.size())};
  zones_.emplace_back().gateway = id;
  const auto v4 = std::ranges::find_if(options.outside, &Address::is_v4);
  const Address address = v4 == options.outside.end() ? Address{} : *v4;
  const AttachmentId outside = add({.zone = options.parent,
                                    .machine = std::nullopt,
                                    .box = id,
                                    .addresses = options.outside,
                                    .up = Link(options.wan.up, rng_.fork("up")),
                                    .down = Link(options.wan.down, rng_.fork("down"))});
  boxes_.push_back({NatBox(nat, address, rng_.fork("nat")), inside, outside});
  return id;
}

AttachmentId Topology::attach_machine(ZoneId zone, MachineId machine,
                                      std::vector<Address> addresses, const LinkPair& links) {
  return add({.zone = zone,
              .machine = machine,
              .box = std::nullopt,
              .addresses = std::move(addresses),
              .up = Link(links.up, rng_.fork("up")),
              .down = Link(links.down, rng_.fork("down"))});
}

void Topology::detach(AttachmentId id) {
  Attachment& gone = attachment(id);
  for (const Address& address : gone.addresses) set_routes(id, address, false);
  gone.addresses.clear();
  gone.connected = false;
}

void Topology::set_outside(BoxId id, const Address& address) {
  Box& changed = box(id);
  Attachment& outside = attachment(changed.outside);
  const auto old = std::ranges::find(outside.addresses, changed.nat.outside());
  if (old != outside.addresses.end()) {
    set_routes(changed.outside, *old, false);
    *old = address;
  } else {
    outside.addresses.push_back(address);
  }
  set_routes(changed.outside, address, true);
  changed.nat.set_outside(address);
}

void Topology::set_routes(AttachmentId id, const Address& address, bool add) {
  const bool is_global = !address.is_private() && !address.is_link_local();
  for (const AttachmentId way : ways_up(id)) {
    auto& routes = zone(attachment(way).zone).routes;
    if (add) {
      routes.insert_or_assign(address, way);
    } else if (const auto it = routes.find(address); it != routes.end() && it->second == way) {
      routes.erase(it);
    }
    const auto gateway = zone(attachment(way).zone).gateway;
    if (!is_global || !gateway || box(*gateway).nat.translates(address)) break;
  }
}

Link& Topology::across(AttachmentId from, AttachmentId to) {
  GINNEL_ASSERT(attachment(from).zone == attachment(to).zone);
  const auto it = across_.find({from, to});
  if (it != across_.end()) return it->second;
  const LinkConfig nothing{.mtu_bytes = 65'535};
  return across_.emplace(std::pair(from, to), Link(nothing, rng_.fork("across"))).first->second;
}

Link* Topology::find_across(AttachmentId from, AttachmentId to) {
  if (across_.empty()) return nullptr;
  const auto it = across_.find({from, to});
  return it == across_.end() ? nullptr : &it->second;
}

void Topology::block(Instant now, std::span<const AttachmentId> from,
                     std::span<const AttachmentId> to, Instant until) {
  std::erase_if(cuts_, [now](const Cut& cut) { return cut.until <= now; });
  if (cuts_.size() == kCutsMax) {
    const auto by_end = [](const Cut& a, const Cut& b) { return a.until < b.until; };
    cuts_.erase(std::ranges::min_element(cuts_, by_end));
  }
  const auto bits = [this](std::span<const AttachmentId> ids) {
    std::vector<bool> out(attachments_.size());
    for (const AttachmentId id : ids) out[id.value()] = true;
    return out;
  };
  cuts_.push_back({until, bits(from), bits(to)});
  cuts_end_ = std::ranges::max(cuts_, {}, &Cut::until).until;
}

bool Topology::is_blocked(Instant now, AttachmentId from, AttachmentId to) const {
  if (now >= cuts_end_ || cuts_.empty()) return false;
  const auto holds = [](const std::vector<bool>& bits, AttachmentId id) {
    return id.value() < bits.size() && bits[id.value()];
  };
  return std::ranges::any_of(cuts_, [&](const Cut& cut) {
    return now < cut.until && holds(cut.from, from) && holds(cut.to, to);
  });
}

void Topology::heal() {
  for (Attachment& attachment : attachments_) {
    attachment.up.heal();
    attachment.down.heal();
  }
  for (auto& [pair, link] : across_) link.heal();
  cuts_.clear();
}

std::vector<AttachmentId> Topology::ways_up(AttachmentId attachment_id) const {
  std::vector<AttachmentId> out{attachment_id};
  for (;;) {
    const auto gateway = zone(attachment(out.back()).zone).gateway;
    if (!gateway) return out;
    out.push_back(box(*gateway).outside);
  }
}

AttachmentId Topology::wan_of(AttachmentId id) const { return ways_up(id).back(); }

std::pair<AttachmentId, AttachmentId> Topology::meeting(AttachmentId a, AttachmentId b) const {
  for (const AttachmentId mine : ways_up(a)) {
    for (const AttachmentId theirs : ways_up(b)) {
      if (attachment(mine).zone == attachment(theirs).zone) return {mine, theirs};
    }
  }
  GINNEL_ASSERT(false);  // everything is below the internet
  return {a, b};
}

}  // namespace ginnel::sim
