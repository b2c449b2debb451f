#include "runtime/daemon/daemon.h"

#include <spdlog/spdlog.h>

#include "base/drain.h"
#include "base/reader.h"
#include "base/writer.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/netlink.h"
#include "runtime/daemon/control_api.h"
#include "runtime/daemon/version.h"
#include "runtime/resolve.h"
#include "runtime/setup.h"

namespace ginnel::runtime {
namespace {

// How long a goodbye may take to leave the socket.
constexpr Nanoseconds kGoodbyeTime = 60ms;
// A peer's port is chosen once and kept, so that its NAT mapping survives a restart.
constexpr std::string_view kPortState = "port";
constexpr std::string_view kEpochState = "epoch";

std::optional<std::uint64_t> read_number(const identity::StateStore& store, std::string_view name) {
  const auto bytes = store.get(name);
  if (!bytes || !*bytes) return std::nullopt;
  Reader r(**bytes);
  const std::uint64_t value = r.u64le();
  return r.finished() ? std::optional(value) : std::nullopt;
}

Result<void, Error> write_number(const identity::StateStore& store, std::string_view name,
                                 std::uint64_t value) {
  std::array<std::byte, 8> bytes{};
  Writer(bytes).u64le(value);
  return store.put(name, bytes);
}

}  // namespace

Daemon::Daemon(Prepared prepared, std::filesystem::path socket)
    : prepared_(std::move(prepared)), socket_path_(std::move(socket)), started_(io::now()) {}

Daemon::~Daemon() {
  server_.reset();  // its thread posts to the loop
}

Result<void, Error> Daemon::open() {
  auto signals = io::Signals::block({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return Fail(signals.error());
  signals_.emplace(*std::move(signals));
  auto loop = io::EventLoop::make();
  if (!loop) return Fail(loop.error());
  loop_ = *std::move(loop);
  if (auto done = open_sockets(); !done) return done;
  if (auto done = open_core(); !done) return done;
  if (auto done = open_tun(); !done) return done;
  api_ = std::make_unique<ControlApi>(*this);
  auto server = control_api::Server::listen(
      socket_path_, [this](const control_api::Request& request, control_api::Responder responder) {
        loop_->post([this, request, responder] { api_->answer(request, responder); });
      });
  if (!server) return Fail(server.error());
  server_ = *std::move(server);
  return loop_->watch(signals_->fd(), {.read = true}, [this](io::Ready) {
    while (const auto number = signals_->next()) {
      if (*number != SIGHUP) leave();
    }
  });
}

Result<void, Error> Daemon::open_sockets() {
  const config::Config& config = prepared_.config.loaded.config;
  Endpoint bind = config.node.listen.value_or(Endpoint{});
  if (!config.node.listen && config.hub) bind.port = config::kDefaultHubPort;
  const bool keep_port = !config.node.listen && !config.hub;
  if (keep_port) {
    bind.port = static_cast<std::uint16_t>(read_number(prepared_.store, kPortState).value_or(0));
  }
  auto socket = io::UdpSocket::open({.bind = bind});
  if (!socket && keep_port && bind.port != 0) {
    bind.port = 0;  // somebody took it meanwhile: any other one does
    socket = io::UdpSocket::open({.bind = bind});
  }
  if (!socket) return Fail(socket.error());
  main_ = *std::move(socket);
  if (keep_port) {
    if (auto kept = write_number(prepared_.store, kPortState, main_->local().port); !kept) {
      return kept;
    }
  }
  if (config.hub) {
    Endpoint probe = main_->local();
    probe.port = config.hub->probe_port.value_or(static_cast<std::uint16_t>(probe.port + 1));
    auto second = io::UdpSocket::open({.bind = probe});
    if (!second) return Fail(second.error());
    probe_ = *std::move(second);
  }
  outbox_.emplace(*main_, probe_.get());
  auto watched = loop_->watch(main_->fd(), {.read = true},
                              [this](io::Ready) { receive(*main_, kSocket); });
  if (!watched || !probe_) return watched;
  return loop_->watch(probe_->fd(), {.read = true},
                      [this](io::Ready) { receive(*probe_, node::kProbeSocket); });
}

// DESIGN section 1: an epoch is one run of a node; each is greater than the one before.
Result<std::uint64_t, Error> Daemon::next_epoch() const {
  const auto last = read_number(prepared_.store, kEpochState);
  std::uint64_t epoch = 0;
  if (last) {
    epoch = *last + 1;
  } else {
    const auto key = io::entropy();
    if (!key) return Fail(key.error());
    epoch = Rng(*key).below(std::uint64_t{1} << 61) + 1;
  }
  if (auto kept = write_number(prepared_.store, kEpochState, epoch); !kept) {
    return Fail(kept.error());
  }
  return epoch;
}

node::Stored Daemon::load_stored() const {
  const auto get = [&](std::string_view name) {
    const auto bytes = prepared_.store.get(name);
    return bytes && *bytes ? **bytes : ByteVector{};
  };
  return {get("pins"), get("revocations"), get("tokens"), get("peers")};
}

node::Config Daemon::core_config() const {
  const config::Config& config = prepared_.config.loaded.config;
  const identity::Enrolment& enrolment = prepared_.identity.enrolment;
  node::Config out;
  out.network_name = enrolment.network_name;
  out.overlay_v4 = enrolment.cidr;
  out.punch = config.punch.enable;
  out.probes_per_second = config.punch.probes_per_second;
  out.resolve_timeout = config.network.resolve_timeout;
  out.hub_heartbeat = config.network.heartbeat.value_or(out.hub_heartbeat);
  for (const config::HubName& hub : config.network.hubs) {
    if (hub.key) out.hubs.push_back({*hub.key, resolve(hub.host, hub.port)});
  }
  for (const control::HubEntry& hub : enrolment.hubs) {
    node::HubAddress& entry = out.hubs.emplace_back();
    entry.key = hub.session;
    for (const std::string& text : hub.endpoints) {
      const auto found = resolve(text);
      entry.endpoints.insert(entry.endpoints.end(), found.begin(), found.end());
    }
  }
  if (config.hub) {
    out.hub = node::HubConfig{.public_endpoint = config.hub->public_endpoint,
                              .probe_port = probe_ ? probe_->local().port : std::uint16_t{0}};
  }
  for (const config::WireguardPeer& peer : config.wireguard_peers) {
    node::StockPeer& stock = out.stock_peers.emplace_back();
    stock.name = peer.name;
    stock.key = peer.public_key;
    stock.allowed = peer.allowed_ips;
    stock.keepalive_seconds = peer.keepalive_seconds;
    if (peer.endpoint) {
      const auto found = resolve(peer.endpoint->host, peer.endpoint->port);
      if (!found.empty()) stock.endpoint = found.front();
    }
    if (peer.psk_file.empty()) continue;
    const auto key = read_preshared_key(beside(prepared_.config, peer.psk_file));
    if (!key) continue;
    auto& bytes = stock.preshared.emplace();
    std::ranges::copy(key->bytes(), bytes.begin());
  }
  return out;
}

Result<void, Error> Daemon::open_core() {
  auto epoch = next_epoch();
  if (!epoch) return Fail(epoch.error());
  const auto key = io::entropy();
  if (!key) return Fail(key.error());
  node::OwnIdentity identity;
  identity.role = prepared_.identity.enrolment.role;
  identity.identity = prepared_.identity.identity.clone();
  identity.session = prepared_.identity.session.clone();
  identity.network = prepared_.identity.enrolment.network;
  identity.chain = prepared_.identity.enrolment.chain;
  if (prepared_.identity.network_key) {
    identity.network_key = prepared_.identity.network_key->clone();
  }
  node_ = std::make_unique<node::Node>(core_config(), std::move(identity), load_stored(), *epoch,
                                       Rng(*key), io::now(), io::wall());
  alarm_ = loop_->add_alarm([this] { node_->handle_timeout(io::now()); });
  loop_->after_round([this] { pump(); });
  tell_interfaces();
  return {};
}

void Daemon::tell_interfaces() {
  auto netlink = io::Netlink::open();
  if (!netlink) return;
  const auto interfaces = (*netlink)->interfaces();
  const auto addresses = (*netlink)->addresses();
  if (!interfaces || !addresses) return;
  std::vector<Prefix> subnets;
  std::vector<Address> own;
  for (const io::InterfaceAddress& address : *addresses) {
    const bool ours = std::ranges::find(node_->self().addresses, address.address) !=
                      node_->self().addresses.end();
    if (ours || !address.usable || address.address.is_loopback() ||
        address.address.is_link_local()) {
      continue;
    }
    subnets.push_back(Prefix::make(address.address, address.length));
    own.push_back(address.address);
  }
  node_->set_interfaces(io::now(), std::move(subnets), std::move(own), main_->local().port);
}

Result<void, Error> Daemon::open_tun() {
  const config::Config& config = prepared_.config.loaded.config;
  if (config.tun.enable == config::TunEnable::kNo) return {};
  TunLinkOptions options;
  options.addresses = node_->self().addresses;
  options.overlay_v4 = prepared_.identity.enrolment.cidr;
  if (config.tun.mtu) options.mtu_bytes = *config.tun.mtu;
  auto tun = TunLink::open(options);
  if (!tun) {
    const bool required = config.tun.enable == config::TunEnable::kYes;
    // A range in use is the user's to free: going on without IP would look like success.
    if (required || tun.error().code == Errc::kAddressInUse) return Fail(tun.error());
    tun_reason_ = tun.error().text;
    spdlog::warn("no TUN device, messages only: {} [E_NO_TUN]", tun_reason_);
    return {};
  }
  tun_ = *std::move(tun);
  if (config.dns.names) hosts_.emplace("/etc/hosts", node_->self().id);
  names_changed_ = true;
  return loop_->watch(tun_->fd(), {.read = true}, [this](io::Ready) {
    const bool alive = tun_->read_all(
        [this](ConstBytes packet) { node_->handle_tun_packet(io::now(), packet); });
    if (alive) return;
    loop_->unwatch(tun_->fd());
    tun_.reset();
    hosts_.reset();
    tun_reason_ = "the device was deleted";
  });
}

void Daemon::run() {
  pump();
  loop_->run();
}

void Daemon::receive(io::UdpSocket& socket, PathId path) {
  // A bounded number of batches, so that a flood does not starve timers and requests.
  for (int round = 0; round < 16; ++round) {
    const auto received = socket.receive(batch_);
    if (received.empty()) return;
    const Instant now = io::now();
    for (const io::Received& one : received) {
      const std::size_t step = one.segment_size ? one.segment_size : one.bytes.size();
      for (Bytes rest = one.bytes; !rest.empty();) {
        const std::size_t size = std::min(step, rest.size());
        node_->handle_datagram(now, path, one.from, rest.first(size));
        rest = rest.subspan(size);
      }
    }
  }
}

void Daemon::pump() {
  const Instant now = io::now();
  std::optional<Instant> next;
  for (bool more = true; more;) {
    more = false;
    next = drain(*node_, now, *outbox_, [&](node::Event event) {
      handle(std::move(event));
      more = true;
    });
    for (const std::uint64_t ticket : std::exchange(stored_tickets_, {})) {
      node_->handle_stored(ticket);
      more = true;
    }
  }
  if (std::exchange(names_changed_, false)) write_names();
  const bool sent = outbox_->flush();
  loop_->set_interest(main_->fd(), {.read = true, .write = !sent});
  loop_->set(alarm_, next);
}

void Daemon::handle(node::Event event) {
  if (const auto* packet = std::get_if<node::TunPacket>(&event)) {
    if (tun_) tun_->write(packet->bytes);
  } else if (const auto* request = std::get_if<node::StoreRequest>(&event)) {
    store(*request);
  } else if (const auto* notice = std::get_if<node::Notice>(&event)) {
    log(*notice);
  } else {
    names_changed_ = names_changed_ || std::holds_alternative<node::PeerChanged>(event);
    if (api_) api_->handle(event);
  }
}

// `ssh bob` works right after `join`.
void Daemon::write_names() {
  if (!hosts_) return;
  std::vector<std::pair<std::string, std::string>> names;
  const auto status = node_->status(io::now());
  if (!status.addresses.empty()) names.emplace_back(status.name, status.addresses.front());
  for (const PeerInfo& peer : status.peers) {
    for (const std::string& address : peer.addresses) names.emplace_back(peer.name, address);
  }
  const auto done = hosts_->write(hosts_lines(status.network, std::move(names)));
  if (done) return;
  spdlog::warn("{} [{}]", done.error().text, code_name(done.error().code));
  hosts_.reset();
}

void Daemon::store(const node::StoreRequest& request) {
  Result<void, Error> done;
  if (request.name == "certificate") {
    prepared_.identity.enrolment.chain = request.bytes;
    done = identity::save_enrolment(prepared_.store, prepared_.identity.enrolment);
  } else {
    done = prepared_.store.put(request.name, request.bytes);
  }
  if (!done) {
    // Not stored, not answered: whoever waits for this asks again.
    spdlog::error("cannot store {}: {}", request.name, done.error().text);
    return;
  }
  stored_tickets_.push_back(request.ticket);
}

void Daemon::log(const node::Notice& notice) {
  const std::string code = notice.code.empty() ? "" : " [" + notice.code + "]";
  switch (notice.level) {
    case node::Notice::Level::kInfo: spdlog::info("{}{}", notice.text, code); break;
    case node::Notice::Level::kWarning: spdlog::warn("{}{}", notice.text, code); break;
    case node::Notice::Level::kError: spdlog::error("{}{}", notice.text, code); break;
  }
}

DaemonFacts Daemon::facts() const {
  DaemonFacts out;
  out.version = kVersion;
  out.uptime_seconds = std::chrono::duration<double>(io::now() - started_).count();
  out.listen = main_->local().text();
  out.tun = tun_ != nullptr;
  out.tun_reason = tun_reason_;
  const config::Config& config = prepared_.config.loaded.config;
  out.mtu = config.tun.mtu.value_or(TunLinkOptions{}.mtu_bytes);
  out.hub = config.hub.has_value();
  return out;
}

void Daemon::leave() {
  if (std::exchange(leaving_, true)) return loop_->stop();
  node_->leave(io::now());
  pump();
  const io::Alarm end = loop_->add_alarm([this] {
    node_->leave(io::now());  // sent twice (docs/wire/ginnel.md section 6, GOODBYE)
    pump();
    loop_->stop();
  });
  loop_->set(end, io::now() + kGoodbyeTime);
}

Result<void, Error> run_daemon(const DaemonOptions& options) {
  auto prepared = prepare(options.places, [](const char* name) -> const char* { return getenv(name); });
  if (!prepared) return Fail(prepared.error());
  Daemon daemon(*std::move(prepared), options.places.socket);
  if (auto opened = daemon.open(); !opened) return opened;
  if (options.on_ready) options.on_ready();
  daemon.run();
  return {};
}

}  // namespace ginnel::runtime
