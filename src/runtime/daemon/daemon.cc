#include "runtime/daemon/daemon.h"

#include <spdlog/spdlog.h>

#include "io/clock.h"
#include "runtime/config/edit.h"
#include "runtime/daemon/control_api.h"
#include "runtime/daemon/version.h"
#include "runtime/setup.h"

namespace ginnel::runtime {

Daemon::Daemon(Prepared prepared, std::filesystem::path socket)
    : socket_path_(std::move(socket)), started_(io::now()), engine_(std::move(prepared), true) {}

Daemon::~Daemon() {
  server_.reset();  // its thread posts to the loop
}

Result<void, Error> Daemon::open() {
  auto signals = io::Signals::block({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return Fail(signals.error());
  signals_.emplace(*std::move(signals));
  engine_.on_event([this](const node::Event& event) { handle(event); });
  if (auto done = engine_.open(); !done) return done;
  if (auto done = open_tun(); !done) return done;
  if (auto done = engine_.start_forwarding(tun_ ? &tun_->device() : nullptr); !done) return done;
  engine_.forwarding()->on_device_gone([this] { forget_tun(); });
  if (auto done = open_control_socket(); !done) return done;
  return loop().watch(signals_->fd(), {.read = true}, [this](io::Ready) {
    while (const auto number = signals_->next()) {
      if (*number != SIGHUP) leave();
    }
  });
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
  if (config.dns.names) hosts_.emplace("/etc/hosts", node().self().id);
  names_changed();
  return {};
}

void Daemon::forget_tun() {
  hosts_.reset();
  tun_reason_ = "the device was deleted";
  spdlog::warn("no TUN device, messages only: {} [E_NO_TUN]", tun_reason_);
}

void Daemon::handle(const node::Event& event) {
  if (const auto* packet = std::get_if<node::TunPacket>(&event)) {
    if (tun_) tun_->write(packet->bytes);
  } else if (const auto* notice = std::get_if<node::Notice>(&event)) {
    log(*notice);
  } else {
    if (std::holds_alternative<node::PeerChanged>(event)) names_changed();
    if (api_) api_->handle(event);
  }
}

// Many changes of one round make one writing.
void Daemon::names_changed() {
  if (!hosts_ || names_posted_) return;
  names_posted_ = loop().post([this] { write_names(); });
}

// `ssh bob` works right after `join`.
void Daemon::write_names() {
  names_posted_ = false;
  if (!hosts_) return;
  std::vector<std::pair<std::string, std::string>> names;
  const auto status = node().status(io::now());
  if (!status.addresses.empty()) names.emplace_back(status.name, status.addresses.front());
  for (const PeerInfo& peer : status.peers) {
    for (const std::string& address : peer.addresses) names.emplace_back(peer.name, address);
  }
  const auto done = hosts_->write(hosts_lines(status.network, std::move(names)));
  if (done) return;
  spdlog::warn("{} [{}]", done.error().text, code_name(done.error().code));
  hosts_.reset();
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
  if (!added) (void)write_config_text(path, *text);
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
  const config::Config& config = engine_.config();
  out.mtu = config.tun.mtu.value_or(TunLinkOptions{}.mtu_bytes);
  out.hub = config.hub.has_value();
  return out;
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
