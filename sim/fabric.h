// Moves packets through the topology, one event per link that takes time:
//
//  1. send: onto the sender's uplink
//  2. in the zone: a router counts the TTL down; who has the target? nobody here: out by the
//  gateway
//  3. over the pair's own link, if it has one, and down to the attachment
//  4. a machine: delivered. A box: translated, and on in the zone inside (or back at 2, above)
//
// A packet that dies is counted by its reason. Nothing here calls a host: a delivery is returned.
#pragma once
#include <array>
#include <optional>

#include "sim/event_queue.h"
#include "sim/packet.h"
#include "sim/topology.h"
#include "sim/trace.h"

namespace ginnel::sim {

struct Delivery {
  MachineId machine;
  AttachmentId at;
  std::uint32_t packet = 0;  // to be given back with Fabric::release
};

// One datagram as it leaves a machine.
struct Datagram {
  Endpoint source;
  Endpoint target;
  std::uint8_t ttl = 64;
  std::uint8_t ecn = 0;
  ConstBytes bytes;
};

class Fabric {
 public:
  Fabric(Topology& topology, EventQueue& queue, Trace& trace, Rng rng)
      : net_(topology), queue_(queue), trace_(trace), rng_(std::move(rng)) {}
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  // Returns the MTU of the sender's own link if the packet exceeds it (the sender's kernel would
  // say EMSGSIZE); what is too big for a later link vanishes there, since DF is always set.
  std::optional<std::size_t> send(Instant now, AttachmentId from, const Datagram& datagram);
  // The event of this packet has come.
  std::optional<Delivery> advance(Instant now, std::uint32_t packet);

  Packet& packet(std::uint32_t index) { return pool_[index]; }
  void release(std::uint32_t packet) { pool_.release(packet); }
  void drop(Instant now, std::uint32_t packet, DropReason reason);
  // A datagram that never became a packet.
  void count_drop(Instant now, AttachmentId at, const Datagram& datagram, DropReason reason);

  std::uint64_t dropped(DropReason reason) const {
    return dropped_[static_cast<std::size_t>(reason)];
  }
  std::uint64_t dropped_total() const;
  std::size_t packets_under_way() const { return pool_.in_use(); }

 private:
  // Each returns true if the packet goes on at this instant; otherwise it waits for its event, or
  // was dropped.
  bool enter(Instant now, std::uint32_t packet, Link& link, Stage next, AttachmentId at);
  bool cross_medium(Instant now, std::uint32_t packet);
  bool leave_by_gateway(Instant now, std::uint32_t packet, BoxId gateway);
  bool enter_box(Instant now, std::uint32_t packet, BoxId box);
  bool go_inside(Instant now, std::uint32_t packet, const Box& box);

  bool count_down(Packet& packet);
  void schedule(std::uint32_t packet, const Passage::Copy& copy);
  void corrupt(Packet& packet);

  Topology& net_;
  EventQueue& queue_;
  Trace& trace_;
  Rng rng_;
  PacketPool pool_;
  std::array<std::uint64_t, static_cast<std::size_t>(DropReason::kCount)> dropped_{};
};

}  // namespace ginnel::sim
