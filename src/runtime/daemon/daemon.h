// A running node: the core, its sockets, its TUN device and its control socket on one event loop.
//
//   Daemon daemon(prepared);
//   daemon.open();                 // sockets, TUN, control socket
//   daemon.run();                  // until SIGTERM, SIGINT or `down`
//
// The walk: a datagram wakes receive(), which feeds the core; after each round pump() drains the
// core to the sockets and its events to handle(). The control socket's thread posts requests to the
// loop; control_api.cc answers them.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "io/event_loop.h"
#include "io/signals.h"
#include "node/node.h"
#include "runtime/control/server.h"
#include "runtime/daemon/documents.h"
#include "runtime/daemon/tun_link.h"
#include "runtime/names/hosts_file.h"
#include "runtime/outbox.h"
#include "runtime/prepared.h"

namespace ginnel::runtime {

class ControlApi;

class Daemon {
 public:
  explicit Daemon(Prepared prepared, std::filesystem::path socket);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Errors: kPortBusy, kAddressInUse, kPermission, kAlreadyRunning, kFile, kNoTun (tun.enable =
  // "yes").
  Result<void, Error> open();
  void run();

  // --- for the control API, on the loop's thread ---
  node::Node& node() { return *node_; }
  io::EventLoop& loop() { return *loop_; }
  DaemonFacts facts() const;
  std::uint16_t port() const { return main_->local().port; }
  // Says goodbye and ends run().
  void leave();
  // Moves what the core has to say; call after feeding it outside an event handler.
  void pump();

 private:
  Result<void, Error> open_sockets();
  Result<void, Error> open_tun();
  Result<void, Error> open_core();
  node::Config core_config() const;
  node::Stored load_stored() const;
  Result<std::uint64_t, Error> next_epoch() const;
  void receive(io::UdpSocket& socket, PathId path);
  void handle(node::Event event);
  void store(const node::StoreRequest& request);
  void tell_interfaces();
  void log(const node::Notice& notice);
  void write_names();

  Prepared prepared_;
  std::filesystem::path socket_path_;
  Instant started_;
  std::unique_ptr<io::EventLoop> loop_;
  std::optional<io::Signals> signals_;
  std::unique_ptr<io::UdpSocket> main_;
  std::unique_ptr<io::UdpSocket> probe_;
  std::unique_ptr<TunLink> tun_;
  std::string tun_reason_;
  std::optional<HostsFile> hosts_;  // while a TUN is up and dns.names is on
  bool names_changed_ = false;
  std::optional<SocketOutbox> outbox_;
  io::ReceiveBatch batch_{16};
  std::unique_ptr<node::Node> node_;
  io::Alarm alarm_;
  std::vector<std::uint64_t> stored_tickets_;  // to be told to the core once it is not busy
  std::unique_ptr<ControlApi> api_;
  std::unique_ptr<control_api::Server> server_;
  bool leaving_ = false;
};

}  // namespace ginnel::runtime
