#include "runtime/daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "io/clock.h"
#include "runtime/config/edit.h"
#include "runtime/daemon/control_api.h"
#include "runtime/daemon/version.h"
#include "runtime/log.h"
#include "runtime/setup.h"

namespace ginnel::runtime {
namespace {

NodeEvents::Time this_moment() { return std::chrono::system_clock::now(); }

// Texts may quote bytes from elsewhere that are no UTF-8; plain dump() would throw at them.
std::string dump_line(const NodeEvents::Document& event) {
  return event.dump(-1, ' ', false, NodeEvents::Document::error_handler_t::replace);
}

}  // namespace

Daemon::Daemon(Prepared prepared, std::filesystem::path socket, const control_api::LineRing& log)
    : socket_path_(std::move(socket)),
      log_lines_(log),
      started_(io::now()),
      engine_(std::move(prepared), Threads::kForwarding) {}

Daemon::~Daemon() {
  event_lines_.finish();
  log_lines_.finish();
  server_.reset();  // its thread posts to the loop
}

Result<void, Error> Daemon::open() {
  auto signals = io::Signals::block({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return Fail(signals.error());
  signals_.emplace(*std::move(signals));
  engine_.on_event([this](const node::Event& event) { handle(event); });
  note_host();
  if (auto done = engine_.open(); !done) return done;
  if (auto done = open_tun(); !done) return done;
  if (auto done = engine_.start_forwarding(tun_ ? &tun_->device() : nullptr); !done) return done;
  engine_.forwarding()->on_device_gone([this] { forget_tun(); });
  if (auto done = open_control_socket(); !done) return done;
  traffic_alarm_ = loop().add_alarm([this] { sample_traffic(); });
  sample_traffic();
  tell(NodeEvents::plain("started", "ginnel " + std::string(kVersion) + " runs", this_moment()));
  return loop().watch(signals_->fd(), {.read = true}, [this](io::Ready) {
    while (const auto number = signals_->next()) {
      if (*number == SIGHUP) {
        reload_by_signal();
      } else {
        leave();
      }
    }
  });
}

Result<config::ReloadPlan, Error> Daemon::reload() {
  auto plan = engine_.reload();
  if (!plan) return plan;
  set_log_level(config().log.level);
  if (!config().dns.names) names_.reset();
  if (config().dns.names && !names_) open_names();
  return plan;
}

void Daemon::reload_by_signal() {
  const auto plan = reload();
  if (!plan) {
    spdlog::error("reload: {} [{}]", plan.error().text, code_name(plan.error().code));
    return;
  }
  for (const std::string& key : plan->changed) spdlog::info("reload: {} changed", key);
  for (const std::string& key : plan->restart) spdlog::warn("reload: {} needs a restart", key);
}

Result<void, Error> Daemon::open_control_socket() {
  api_ = std::make_unique<ControlApi>(*this);
  auto server = control_api::Server::listen(
      socket_path_, [this](const control_api::Request& request, control_api::Responder responder) {
        loop().post([this, request, responder] { api_->answer(request, responder); });
      });
  if (!server) return Fail(server.error());
  server_ = *std::move(server);
  return {};
}

Result<void, Error> Daemon::open_tun() {
  const config::Config& config = engine_.config();
  if (config.tun.enable == config::TunEnable::kNo) return {};
  TunLinkOptions options;
  options.addresses = node().self().addresses;
  options.overlay_v4 = engine_.prepared().identity.enrolment.cidr;
  for (const config::WireguardPeer& peer : config.wireguard_peers) {
    options.routes.insert(options.routes.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
  }
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
  if (config.dns.names) open_names();
  return {};
}

void Daemon::open_names() {
  if (!tun_ || !tun_reason_.empty()) return;
  NamesOptions options;
  options.link = tun_->device().index().value();
  options.addresses = node().self().addresses;
  options.network = engine_.prepared().identity.enrolment.network_name;
  options.id = node().self().id;
  names_ = std::make_unique<Names>(loop(), options);
  names_changed();
}

void Daemon::forget_tun() {
  names_.reset();
  tun_reason_ = "the device was deleted";
  spdlog::warn("no TUN device, messages only: {} [E_NO_TUN]", tun_reason_);
}

// The node has another overlay address than it started with.
void Daemon::move_tun() {
  if (!tun_ || !tun_reason_.empty()) return;
  if (const auto moved = tun_->change_addresses(node().self().addresses); !moved) {
    spdlog::error("the TUN device keeps its old address: {} [{}]", moved.error().text,
                  code_name(moved.error().code));
  }
  if (!names_) return;
  names_.reset();
  open_names();
}

void Daemon::sample_traffic() {
  const Instant now = io::now();
  const auto peers = node().status(now).peers;
  rates_.sample(now, peers);
  // A peer that falls silent is no event of the core: only time passes.
  for (const PeerInfo& peer : peers) tell_peer(peer);
  loop().set(traffic_alarm_, now + TrafficRates::kEvery);
}

void Daemon::handle(const node::Event& event) {
  if (const auto* packet = std::get_if<node::TunPacket>(&event)) {
    if (tun_) tun_->write(packet->bytes);
  } else if (const auto* notice = std::get_if<node::Notice>(&event)) {
    log(*notice);
    warnings_.add(io::now(), *notice);
    tell(NodeEvents::notice(*notice, this_moment()));
  } else {
    if (std::holds_alternative<node::SelfChanged>(event)) move_tun();
    if (const auto* changed = std::get_if<node::PeerChanged>(&event)) {
      names_changed();
      if (const auto info = node().peer_info(io::now(), changed->id)) tell_peer(*info);
    } else if (const auto* hub = std::get_if<node::HubChanged>(&event)) {
      tell_hub(*hub);
    }
    if (api_) api_->handle(event);
  }
}

void Daemon::tell(const NodeEvents::Document& event) { event_lines_.add(dump_line(event)); }

void Daemon::tell_peer(const PeerInfo& peer) {
  for (const auto& event : events_.note_peer(peer, this_moment())) tell(event);
}

void Daemon::tell_hub(const node::HubChanged& changed) {
  PeerInfo hub;
  hub.id = changed.hub;
  if (const auto known = node().peer_info(io::now(), changed.hub)) hub.name = known->name;
  tell(NodeEvents::hub(hub, changed.online, this_moment()));
}

// What the host does around the node is told of too.
void Daemon::note_host() {
  engine_.on_addresses([this](const std::vector<Address>& addresses) {
    if (const auto event = events_.note_addresses(addresses, this_moment())) tell(*event);
  });
  engine_.on_resumed([this](Nanoseconds slept) {
    spdlog::info("the machine slept for {} s", slept / 1s);
    tell(NodeEvents::resumed(slept, this_moment()));
  });
  engine_.on_renewed([this] {
    tell(NodeEvents::plain("certificate_renewed", "the certificate was renewed", this_moment()));
  });
}

void Daemon::leave() {
  tell(NodeEvents::plain("leaving", "the node leaves the network", this_moment()));
  engine_.leave();
}

// Many changes of one round make one writing.
void Daemon::names_changed() {
  if (!names_ || names_posted_) return;
  names_posted_ = loop().post([this] { tell_names(); });
}

// `ssh bob` works right after `join`.
void Daemon::tell_names() {
  names_posted_ = false;
  if (!names_) return;
  NameTable::Names names;
  names[node().self().name] = node().self().addresses;
  for (const PeerInfo& peer : node().status(io::now()).peers) {
    // What two nodes are called names neither of them.
    if (node().is_ambiguous(peer.name) || peer.name == node().self().name) continue;
    for (const std::string& text : peer.addresses) {
      if (const auto address = Address::parse(text)) names[peer.name].push_back(*address);
    }
  }
  names_->set(names);
}

void Daemon::log(const node::Notice& notice) {
  const std::string code = notice.code.empty() ? "" : " [" + notice.code + "]";
  switch (notice.level) {
    case node::Notice::Level::kInfo: spdlog::info("{}{}", notice.text, code); break;
    case node::Notice::Level::kWarning: spdlog::warn("{}{}", notice.text, code); break;
    case node::Notice::Level::kError: spdlog::error("{}{}", notice.text, code); break;
  }
}

Result<void, Error> Daemon::let_in(const config::WireguardPeer& peer) {
  node::StockPeer stock;
  stock.name = peer.name;
  stock.key = peer.public_key;
  stock.allowed = peer.allowed_ips;
  if (auto checked = node().check_stock_peer(stock); !checked) return checked;
  // The file as it is now: somebody may have edited it since the start.
  const auto& path = engine_.prepared().config.path;
  const auto text = read_config_text(path);
  if (!text) return Fail(text.error());
  const auto edited = config::add_wireguard_peer(*text, peer);
  if (!edited) {
    return Fail(Error{Errc::kUsage, path.string() + " has problems, or only a person can edit it",
                      "ginnel config check; add the [[wireguard.peer]] by hand"});
  }
  if (auto written = write_config_text(path, *edited); !written) return written;
  auto added = node().add_stock_peer(io::now(), std::move(stock));
  if (added) {
    engine_.note_let_in(*edited);
  } else {
    (void)write_config_text(path, *text);
  }
  names_changed();
  return added;
}

DaemonFacts Daemon::facts() const {
  DaemonFacts out;
  out.version = kVersion;
  out.uptime_seconds = std::chrono::duration<double>(io::now() - started_).count();
  out.listen = engine_.local().text();
  out.tun = tun_ != nullptr && tun_reason_.empty();
  out.tun_reason = tun_reason_;
  out.warnings = warnings_.at(io::now());
  out.rates = &rates_;
  const config::Config& config = engine_.config();
  out.mtu = config.tun.mtu.value_or(TunLinkOptions{}.mtu_bytes);
  out.hub = config.hub.has_value();
  return out;
}

Result<void, Error> run_daemon(const DaemonOptions& options) {
  auto prepared = prepare(options.places, [](const char* name) -> const char* { return getenv(name); });
  if (!prepared) return Fail(prepared.error());
  const control_api::LineRing log;
  open_log(prepared->config.loaded.config.log, &log);
  Daemon daemon(*std::move(prepared), options.places.socket, log);
  if (auto opened = daemon.open(); !opened) return opened;
  if (options.on_ready) options.on_ready();
  sd_notify(0, "READY=1");  // to systemd, where it has started us
  daemon.run();
  sd_notify(0, "STOPPING=1");
  return {};
}

}  // namespace ginnel::runtime
