// A node on an event loop: the core, its sockets and its memory on the disk. The daemon is one with a
// TUN device and a control socket, a program's own node one on a thread of its own.
//
//   Engine engine(prepared);
//   engine.open();                       // sockets and core
//   engine.on_event([](const node::Event& event) { … });
//   engine.run();                        // until leave() or stop()
//
// The walk: a datagram wakes receive(), which feeds the core; after each round pump() drains the
// core to the sockets, stores what it wants stored, and gives its other events to the handler.
//
// Everything belongs to the thread that calls run().
#pragma once
#include <functional>
#include <memory>

#include "io/event_loop.h"
#include "io/udp_socket.h"
#include "node/node.h"
#include "runtime/config/reload.h"
#include "runtime/engine/forwarding_plane.h"
#include "runtime/engine/hub_names.h"
#include "runtime/engine/network_watch.h"
#include "runtime/hub_sources.h"
#include "runtime/outbox.h"
#include "runtime/prepared.h"

namespace ginnel::runtime {

// What an engine may have besides the thread that runs it.
enum class Threads {
  kNone,        // names of hubs are resolved on the loop's thread, which waits for the resolver
  kNames,       // one that resolves the names of hubs, if there are any
  kForwarding,  // and those of start_forwarding(), which is called before run(): the core is told
                // nothing of the main socket otherwise
};

class Engine {
 public:
  using EventHandler = std::function<void(const node::Event&)>;

  explicit Engine(Prepared prepared, Threads threads = Threads::kNames)
      : prepared_(std::move(prepared)),
        forwarding_threads_(threads == Threads::kForwarding),
        resolver_(threads == Threads::kNone ? HubNames::Resolver::kInline
                                            : HubNames::Resolver::kThread) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Errors: kPortBusy, kPermission, kFile, kInternal.
  Result<void, Error> open();
  // `tun` may be null: no packets of this host; else it outlives the engine.
  Result<void, Error> start_forwarding(const io::Tun* tun);
  // Null: not started.
  ForwardingPlane* forwarding() { return plane_.get(); }
  // What happens to events other than StoreRequest, also to a Notice. It may feed the core.
  void on_event(EventHandler handler) { handler_ = std::move(handler); }
  // The addresses that others may reach this host at, whenever the host's network was read.
  void on_addresses(std::function<void(const std::vector<Address>&)> handler) {
    addresses_handler_ = std::move(handler);
  }
  // The machine slept for this long; everything was told to the core already.
  void on_resumed(std::function<void(Nanoseconds)> handler) {
    resumed_handler_ = std::move(handler);
  }
  void on_renewed(std::function<void()> handler) { renewed_handler_ = std::move(handler); }
  void run();
  // Reads ginnel.toml again and takes what can change at run time. Errors: as load_valid_config;
  // nothing was changed.
  Result<config::ReloadPlan, Error> reload();
  // The last [[wireguard.peer]] of this text of ginnel.toml is let in: reload() has nothing to add.
  void note_let_in(std::string_view toml) {
    config::take_last_wireguard_peer(prepared_.config.loaded, config::load(toml));
  }
  // Leaves the gossip cluster (at most 2 s), says goodbye, and ends run() once that is out; a second
  // call ends it at once.
  void leave();
  // Moves what the core has to say; call after feeding it outside an event handler.
  void pump();

  node::Node& node() { return *node_; }
  const node::Node& node() const { return *node_; }
  // Has open() succeeded?
  bool is_open() const { return node_ != nullptr; }
  io::EventLoop& loop() { return *loop_; }
  const io::EventLoop& loop() const { return *loop_; }
  Endpoint local() const { return main_->local(); }
  const config::Config& config() const { return prepared_.config.loaded.config; }
  const Prepared& prepared() const { return prepared_; }

 private:
  Result<void, Error> open_main_socket();
  Result<void, Error> open_probe_socket();
  Result<void, Error> watch_sockets();
  Result<void, Error> open_core();
  node::OwnIdentity own_identity() const;
  node::Config core_config() const;
  swim::Config gossip_config() const;
  void say_goodbye();
  node::Stored load_stored() const;
  Result<std::uint64_t, Error> next_epoch() const;
  void receive(io::UdpSocket& socket, PathId path);
  void handle(node::Event event);
  void store(const node::StoreRequest& request);
  Result<void, Error> store_rotation(ConstBytes bytes);
  // engine_host.cc: the host around the node
  std::vector<HubSource> hub_sources() const;
  std::vector<node::HubAddress> hub_addresses() const;
  void watch_host();
  void watch_hub_names();
  void tell_network(const HostNetwork& network);
  void tell_wall();
  void notice_sleep();
  void hubs_changed();

  Prepared prepared_;
  EventHandler handler_;
  std::function<void(const std::vector<Address>&)> addresses_handler_;
  std::function<void(Nanoseconds)> resumed_handler_;
  std::function<void()> renewed_handler_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<io::UdpSocket> main_;
  std::unique_ptr<io::UdpSocket> probe_;  // node::kProbeSocket
  std::optional<SocketOutbox> outbox_;
  io::ReceiveBatch batch_{16};
  std::unique_ptr<node::Node> node_;
  bool forwarding_threads_;
  HubNames::Resolver resolver_;
  std::unique_ptr<ForwardingPlane> plane_;
  io::Alarm alarm_;
  io::Alarm wall_alarm_;
  std::unique_ptr<NetworkWatch> network_;
  std::optional<HubNames> hub_names_;
  std::vector<std::uint64_t> stored_tickets_;  // to be told to the core once it is not busy
  Nanoseconds slept_{};  // of the machine since it was booted, as last seen
  bool leaving_ = false;
};

}  // namespace ginnel::runtime
