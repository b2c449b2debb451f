// A whole node on a machine of the world: in virtual time what the daemon is on a real machine. It
// binds the sockets, redeems a token if it is not enrolled yet (as `ginnel join` does), then runs
// node::Node, stores what the node wants stored, and takes every channel as a program would.
//
//   auto host = std::make_unique<NodeHost>(NodeSetup{.name = "alice", .identity = …, .token = …});
//   host->on_event([&](Instant now, const node::Event& event) { … });
//   const MachineId id = world.add_machine("alice", std::move(host));
//   world.start(id);
//   world.host<NodeHost>(id).node()->send(…);   // then world.poke(id)
//
// Its disk holds what the daemon's holds: the enrolment, the port, the epoch, and what
// StoreRequests asked for. Everything else is lost by a crash.
//
// With Config::forwarding_threads its data moves as the daemon moves it (virtual_plane.h); without,
// the core opens, seals and relays, as in a program that uses the library.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "node/joiner.h"
#include "node/node.h"
#include "sim/host.h"
#include "sim/virtual_plane.h"

namespace ginnel::sim {

inline constexpr std::uint16_t kHubPort = 7700;

struct NodeSetup {
  std::string name;
  node::OwnIdentity identity;  // its chain is empty: `token` is redeemed first
  std::string token;
  bool all_channels = true;  // a program takes them all; false: what is subscribed to
  node::Config
      config;  // what JOINED tells is filled in; a hub's public endpoint at its first start
};

class NodeHost final : public Host {
 public:
  using EventHandler = std::function<void(Instant, const node::Event&)>;
  using DatagramHandler = std::function<void(ConstBytes)>;

  explicit NodeHost(NodeSetup setup) : setup_(std::move(setup)) {}

  // Everything but StoreRequest. It may feed the node, but not the world.
  void on_event(EventHandler handler) { on_event_ = std::move(handler); }
  // Every datagram as it leaves, for checkers.
  void on_datagram(DatagramHandler handler) { on_datagram_ = std::move(handler); }

  void start(const Clock& clock, Machine& machine) override;
  void handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) override;
  void handle_timeout(const Clock& clock) override;
  std::optional<Instant> next_timeout() const override { return next_; }
  void drain(const Clock& clock, SendBatch& batch) override;
  void crash() override;
  void handle_network_change(const Clock& clock) override;
  void handle_resumed(const Clock& clock) override;
  void handle_too_big(const Clock& clock, const TooBig& what) override;

  // A program of this machine sends an IP packet. Poke the machine afterwards.
  void send_packet(Instant now, ConstBytes packet);

  // Null: the machine is down, or the token is not redeemed yet. Poke the machine after use.
  node::Node* node() { return node_.get(); }
  const node::Node* node() const { return node_.get(); }
  Id id() const { return setup_.identity.id(); }
  // Why no hub lets us in, as far as one has said so.
  std::optional<node::Refusal> refusal() const;

 private:
  void start_joiner(const Clock& clock);
  void start_node(const Clock& clock);
  void finish_join(const Clock& clock);
  void tell_wall(const Clock& clock);
  void tell_interfaces(Instant now);
  void handle(Instant now, node::Event event);
  void move_packets(Instant now, SendBatch& batch);
  std::uint64_t next_epoch();

  NodeSetup setup_;
  EventHandler on_event_;
  DatagramHandler on_datagram_;
  std::map<std::string, ByteVector> disk_;
  std::uint64_t epoch_ = 0;  // on the disk too; 0: never ran
  std::uint16_t port_ = 0;   // the same; 0: not chosen

  Machine* machine_ = nullptr;  // set by start
  std::unique_ptr<node::Joiner> joiner_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<VirtualPlane> plane_;  // null: the core moves packets itself
  std::vector<std::uint64_t> stored_tickets_;
  std::optional<Instant> next_;     // as of the last drain
  Nanoseconds wall_since_start_{};  // Wall minus Instant, as the node was told
};

}  // namespace ginnel::sim
