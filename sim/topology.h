// Who is connected to what. A tree of zones: the internet, and LANs, each behind one box (a NAT, a
// firewall or a plain router) that is attached to the zone above.
//
//   Topology net(rng);
//   const BoxId box = net.add_lan(home_box(NatKind::kSymmetric), {.outside = {public_address}});
//   net.attach_machine(net.box(box).inside, machine, {Address::v4(192, 168, 1, 2)});
//
//   machine --up/down-- LAN --- box --up/down-- internet --up/down-- box --- LAN ---- machine
//                    (switch)  (TTL -1)     (router, TTL -1)       (TTL -1)
//
// Between two attachments of a zone there can be a link of their own (`across`): distance between
// two sites, a partition, a cut. Everything is ordered by number; nothing depends on addresses in
// memory.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "sim/ids.h"
#include "sim/link.h"
#include "sim/nat_box.h"

namespace ginnel::sim {

struct Attachment {
  ZoneId zone;
  std::optional<MachineId> machine;  // exactly one of these two,
  std::optional<BoxId> box;          // whose outside this is
  std::vector<Address> addresses;
  Link up;    // from the machine or box
  Link down;  // to it
  bool connected = true;
};

struct Zone {
  std::optional<BoxId> gateway;  // none: the internet
  // Only looked up, never iterated.
  std::unordered_map<Address, AttachmentId> routes;
};

struct Box {
  NatBox nat;
  ZoneId inside;
  AttachmentId outside;
};

struct LanOptions {
  ZoneId parent;                 // the internet is zone 0
  std::vector<Address> outside;  // the box's own; the first IPv4 one is what it translates to
  LinkPair wan;
};

class Topology {
 public:
  explicit Topology(Rng rng);
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  static constexpr ZoneId kInternet{0};
  static constexpr std::size_t kCutsMax = 256;

  BoxId add_lan(const NatConfig& nat, const LanOptions& options);
  AttachmentId attach_machine(ZoneId zone, MachineId machine, std::vector<Address> addresses,
                              const LinkPair& links = {});
  // Pulls the cable for good: the addresses are routed nowhere.
  void detach(AttachmentId attachment);
  // The provider renumbers the box: mappings gone, the old address is routed nowhere.
  void set_outside(BoxId box, const Address& address);

  // The link of its own from one attachment to another of the same zone; made at first use, with
  // no delay.
  Link& across(AttachmentId from, AttachmentId to);
  Link* find_across(AttachmentId from, AttachmentId to);
  // Nothing gets from any of `from` to any of `to` until then: one way, so a whole partition is two
  // calls. At most kCutsMax at once; the one that ends first gives way.
  void block(Instant now, std::span<const AttachmentId> from, std::span<const AttachmentId> to,
             Instant until = kForever);
  bool is_blocked(Instant now, AttachmentId from, AttachmentId to) const;
  // Ends every block, and every disturbance of every link.
  void heal();

  // The attachment in the internet through which this one is seen from there.
  AttachmentId wan_of(AttachmentId attachment) const;
  // The attachments by which two machines' ones meet, in the lowest zone that both are in.
  std::pair<AttachmentId, AttachmentId> meeting(AttachmentId a, AttachmentId b) const;

  std::size_t attachments() const { return attachments_.size(); }
  std::size_t boxes() const { return boxes_.size(); }
  Attachment& attachment(AttachmentId id) { return attachments_[id.value()]; }
  const Attachment& attachment(AttachmentId id) const { return attachments_[id.value()]; }
  Zone& zone(ZoneId id) { return zones_[id.value()]; }
  const Zone& zone(ZoneId id) const { return zones_[id.value()]; }
  Box& box(BoxId id) { return boxes_[id.value()]; }
  const Box& box(BoxId id) const { return boxes_[id.value()]; }

 private:
  // By attachment number; those made later are not in it.
  struct Cut {
    Instant until;
    std::vector<bool> from;
    std::vector<bool> to;
  };

  AttachmentId add(Attachment attachment);
  // The ways from an attachment up to the internet, itself first.
  std::vector<AttachmentId> ways_up(AttachmentId attachment) const;
  // Every zone above routes a global address down, as far as no box translates it.
  void set_routes(AttachmentId attachment, const Address& address, bool add);

  Rng rng_;
  std::deque<Attachment> attachments_;
  std::vector<Zone> zones_;
  std::deque<Box> boxes_;
  std::map<std::pair<AttachmentId, AttachmentId>, Link> across_;
  std::vector<Cut> cuts_;  // some may be over
  Instant cuts_end_{};     // when the last of them is
};

}  // namespace ginnel::sim
