// One Ginnel network in a world: the first hub founds it, every other node joins by a token that a
// hub made. What programs on the machines get goes to `Programs`.
//
//   Network network(world, inbox);
//   const MachineId hub = network.add_hub("hub", places.add_site(NatKind::kOpen));
//   const MachineId alice = network.add_peer("alice", places.add_site(NatKind::kSymmetric));
//   network.wait(10s, [&] { return network.all_know_each_other(); });
//   network.send(alice, hub, "chat", bytes_of("hello"));
//
// Programs look peers up by Id, as it is on the machine's label; names work too.
#pragma once
#include <map>

#include "sim/node_host.h"
#include "sim/places.h"

namespace ginnel::sim {

// The programs on the machines of a network, all in one; outside the nodes, so that checkers can
// hear of everything.
class Programs {
 public:
  virtual ~Programs() = default;
  // These must not touch the world: it is in the middle of something.
  virtual void message(MachineId at, MachineId from, const std::string& channel,
                       ConstBytes bytes) = 0;
  virtual void packet(MachineId at, ConstBytes bytes) = 0;  // out of the TUN device
  virtual void settled(MachineId at, const node::AckSettled& what) = 0;
  // A plain message came back to its sender.
  virtual void undelivered(MachineId, MachineId, const std::string&, ConstBytes) {}
  virtual void datagram_sent(MachineId, ConstBytes) {}  // sealed, on the wire
};

class Network {
 public:
  // Both outlive it. `planes`: the share of nodes, by the world's seed, whose data a forwarding
  // plane moves, as the daemon's; in the others the core does.
  Network(World& world, Programs& programs, double planes = 1);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Nodes that are added from now on are members of the gossip cluster, or (nullopt) not.
  void set_gossip(std::optional<swim::Config> gossip) { gossip_ = std::move(gossip); }

  // Started at once; hubs stand at open sites. The first one founds the network.
  MachineId add_hub(const std::string& name, Places& places, const Site& site);
  MachineId add_peer(const std::string& name, Places& places, const Site& site,
                     const Spot& spot = {});

  NodeHost& host(MachineId machine) { return world_.host<NodeHost>(machine); }
  node::Node* node(MachineId machine) { return host(machine).node(); }
  const std::vector<MachineId>& hubs() const { return hubs_; }
  const std::vector<MachineId>& nodes() const { return nodes_; }

  // The program's calls. False: the node is down or not enrolled, or does not take it now.
  bool send(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes);
  bool send_acked(MachineId from, MachineId to, std::uint64_t call, std::string_view channel,
                  ConstBytes bytes, Nanoseconds deadline);
  bool send_packet(MachineId from, ConstBytes packet);
  // The overlay address, IPv4 or IPv6; nullopt: not enrolled.
  std::optional<Address> overlay(MachineId machine, bool v6 = false);

  // `at` holds `of`'s row or a live session with it.
  bool knows(MachineId at, MachineId of);
  bool all_know_each_other();
  // Of the gossip cluster, alive to each other; also true without gossip.
  bool all_are_members();
  PathKind path(MachineId from, MachineId to);
  // What `from` thinks of its way to `to`, for people.
  std::string describe(MachineId from, MachineId to);
  // Runs the world in steps of 1 ms until `until` holds; false: it did not within `limit`.
  bool wait(Nanoseconds limit, const std::function<bool()>& until);

 private:
  MachineId add(NodeSetup setup, Places& places, const Site& site, const Spot& spot);
  void handle(MachineId at, Instant now, const node::Event& event);
  void take_messages(MachineId at, const node::MessageReady& ready);

  World& world_;
  Programs& programs_;
  double planes_;
  std::optional<swim::Config> gossip_;
  Rng rng_;
  std::vector<MachineId> hubs_;
  std::vector<MachineId> nodes_;  // hubs too
  std::map<Id, MachineId> by_id_;
  crypto::NetworkPublic network_;
};

}  // namespace ginnel::sim
