// A running node: the engine with a TUN device, signals and a control socket.
//
//   Daemon daemon(prepared, socket);
//   daemon.open();                 // sockets, TUN, control socket
//   daemon.run();                  // until SIGTERM, SIGINT or `down`
//
// The control socket's thread posts requests to the engine's loop; control_api.cc answers them.
#pragma once
#include <memory>

#include "io/signals.h"
#include "runtime/control/line_ring.h"
#include "runtime/control/server.h"
#include "runtime/daemon/documents.h"
#include "runtime/daemon/node_events.h"
#include "runtime/daemon/recent_warnings.h"
#include "runtime/daemon/traffic_rates.h"
#include "runtime/daemon/tun_link.h"
#include "runtime/engine/engine.h"
#include "runtime/names/names.h"

namespace ginnel::runtime {

class ControlApi;

class Daemon {
 public:
  // `log`: what `ginnel log` reads.
  Daemon(Prepared prepared, std::filesystem::path socket, const control_api::LineRing& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Errors: kPortBusy, kAddressInUse, kPermission, kAlreadyRunning, kFile, kNoTun (tun.enable =
  // "yes").
  Result<void, Error> open();
  void run() { engine_.run(); }

  // --- for the control API, on the loop's thread ---
  node::Node& node() { return engine_.node(); }
  const node::Node& node() const { return engine_.node(); }
  io::EventLoop& loop() { return engine_.loop(); }
  DaemonFacts facts() const;
  const TrafficRates& rates() const { return rates_; }
  std::uint16_t port() const { return engine_.local().port; }
  const config::Config& config() const { return engine_.config(); }
  const control_api::LineRing& event_lines() const { return event_lines_; }
  const control_api::LineRing& log_lines() const { return log_lines_; }
  // `config reload` and SIGHUP. Errors: kConfig*, kFile, kPermission; nothing was changed.
  Result<config::ReloadPlan, Error> reload();
  // Lets a stock WireGuard peer in, now and after each restart: it is added to ginnel.toml.
  // Errors: as node::Node::add_stock_peer, kUsage (the file is not to be edited by a program), kFile,
  // kPermission. All: nothing changed.
  Result<void, Error> let_in(const config::WireguardPeer& peer);
  // Says goodbye and ends run().
  void leave();
  // Moves what the core has to say; call after feeding it outside an event handler.
  void pump() { engine_.pump(); }

 private:
  Result<void, Error> open_tun();
  Result<void, Error> open_control_socket();
  void forget_tun();
  void move_tun();
  void sample_traffic();
  void handle(const node::Event& event);
  void log(const node::Notice& notice);
  void tell(const NodeEvents::Document& event);
  void tell_peer(const PeerInfo& peer);
  void tell_hub(const node::HubChanged& changed);
  void note_host();
  void open_names();
  void names_changed();
  void tell_names();
  void reload_by_signal();

  std::filesystem::path socket_path_;
  control_api::LineRing log_lines_;
  control_api::LineRing event_lines_;
  NodeEvents events_;
  Instant started_;
  std::optional<io::Signals> signals_;
  RecentWarnings warnings_;
  TrafficRates rates_;
  std::unique_ptr<TunLink> tun_;  // outlives the engine, whose threads use it
  Engine engine_;
  io::Alarm traffic_alarm_;
  std::string tun_reason_;
  std::unique_ptr<Names> names_;  // while a TUN is up and dns.names is on
  bool names_posted_ = false;     // tell_names() waits in the loop
  std::unique_ptr<ControlApi> api_;
  std::unique_ptr<control_api::Server> server_;
};

}  // namespace ginnel::runtime
