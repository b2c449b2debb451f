#include "runtime/engine/engine.h"

#include <algorithm>

#include "base/drain.h"
#include "base/reader.h"
#include "base/writer.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/resolve.h"

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

Result<void, Error> Engine::open() {
  auto loop = io::EventLoop::make();
  if (!loop) return Fail(loop.error());
  loop_ = *std::move(loop);
  if (auto done = open_main_socket(); !done) return done;
  if (auto done = open_probe_socket(); !done) return done;
  if (auto done = watch_sockets(); !done) return done;
  return open_core();
}

Result<void, Error> Engine::open_main_socket() {
  Endpoint bind = config().node.listen.value_or(Endpoint{});
  if (!config().node.listen && config().hub) bind.port = config::kDefaultHubPort;
  const bool keep_port = !config().node.listen && !config().hub;
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
  if (!keep_port) return {};
  return write_number(prepared_.store, kPortState, main_->local().port);
}

Result<void, Error> Engine::open_probe_socket() {
  Endpoint probe = main_->local();
  if (config().hub) {
    probe.port = config().hub->probe_port.value_or(static_cast<std::uint16_t>(probe.port + 1));
  } else {
    probe.port = 0;
  }
  auto socket = io::UdpSocket::open({.bind = probe});
  if (!socket) return Fail(socket.error());
  probe_ = *std::move(socket);
  return {};
}

Result<void, Error> Engine::watch_sockets() {
  outbox_.emplace(*main_, probe_.get());
  // With forwarding threads the main socket is read by one of them, and here only written.
  auto watched = loop_->watch(main_->fd(), {.read = !forwarding_threads_},
                              [this](io::Ready ready) {
                                if (ready.read) receive(*main_, kSocket);
                              });
  if (!watched) return watched;
  return loop_->watch(probe_->fd(), {.read = true},
                      [this](io::Ready) { receive(*probe_, node::kProbeSocket); });
}

// docs/design.md section 1: an epoch is one run of a node; each is greater than the one before.
Result<std::uint64_t, Error> Engine::next_epoch() const {
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

node::Stored Engine::load_stored() const {
  const auto get = [&](std::string_view name) {
    const auto bytes = prepared_.store.get(name);
    return bytes && *bytes ? **bytes : ByteVector{};
  };
  return {get("pins"), get("revocations"), get("tokens"), get("peers"), get("handshakes"),
          get("tags")};
}

// A restart takes another preset: reload names it.
swim::Config Engine::gossip_config() const {
  switch (config().gossip.preset) {
    case config::GossipPreset::kLan: return swim::Config::lan();
    case config::GossipPreset::kLocal: return swim::Config::local();
    case config::GossipPreset::kWan: break;
  }
  return swim::Config::wan();
}

node::Config Engine::core_config() const {
  const config::Config& config = this->config();
  const identity::Enrolment& enrolment = prepared_.identity.enrolment;
  node::Config out;
  out.network_name = enrolment.network_name;
  out.overlay_v4 = enrolment.cidr;
  out.punch = config.punch.enable;
  out.probes_per_second = config.punch.probes_per_second;
  out.forwarding_threads = forwarding_threads_;
  out.tun_mtu = config.tun.mtu.value_or(out.tun_mtu);
  out.resolve_timeout = config.network.resolve_timeout;
  out.retain = config.network.retain;
  out.hub_heartbeat = config.network.heartbeat.value_or(out.hub_heartbeat);
  out.allow = config.network.allow;
  out.connect_eagerly = config.network.connect == config::Connect::kEager;
  out.stop_without_hubs = config.network.when_hubs_lost == config::WhenHubsLost::kStop;
  out.hubs = hub_addresses();
  out.gossip = gossip_config();
  if (config.hub) {
    out.hub = node::HubConfig{.public_endpoint = config.hub->public_endpoint,
                              .probe_port = probe_->local().port};
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

node::OwnIdentity Engine::own_identity() const {
  const identity::Identity& own = prepared_.identity;
  node::OwnIdentity out;
  out.role = own.enrolment.role;
  out.identity = own.identity.clone();
  out.session = own.session.clone();
  out.network = own.enrolment.network;
  out.chain = own.enrolment.chain;
  if (own.network_key) out.network_key = own.network_key->clone();
  if (const auto& by_secret = prepared_.secret_network) {
    out.network_key = by_secret->key.clone();
    out.preshared = by_secret->preshared.clone();
  }
  return out;
}

Result<void, Error> Engine::open_core() {
  auto epoch = next_epoch();
  if (!epoch) return Fail(epoch.error());
  const auto key = io::entropy();
  if (!key) return Fail(key.error());
  node_ = std::make_unique<node::Node>(core_config(), own_identity(), load_stored(), *epoch,
                                       Rng(*key), io::now(), io::wall());
  alarm_ = loop_->add_alarm([this] { node_->handle_timeout(io::now()); });
  slept_ = io::slept();
  loop_->after_round([this] {
    notice_sleep();
    pump();
  });
  watch_host();
  return {};
}

Result<void, Error> Engine::start_forwarding(const io::Tun* tun) {
  auto plane = ForwardingPlane::start(*node_, *main_, tun);
  if (!plane) return Fail(plane.error());
  plane_ = *std::move(plane);
  return loop_->watch(plane_->fd(), {.read = true}, [this](io::Ready) { plane_->receive(); });
}

void Engine::run() {
  pump();
  loop_->run();
}

void Engine::receive(io::UdpSocket& socket, PathId path) {
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

void Engine::pump() {
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
  // A new key pair is known to the receiving thread before the peer may use it.
  if (plane_) plane_->publish();
  const bool sent = outbox_->flush();
  loop_->set_interest(main_->fd(), {.read = !forwarding_threads_, .write = !sent});
  loop_->set(alarm_, next);
}

void Engine::handle(node::Event event) {
  if (plane_ && plane_->handle(event)) return;
  if (const auto* request = std::get_if<node::StoreRequest>(&event)) return store(*request);
  if (std::holds_alternative<node::HubChanged>(event)) hubs_changed();
  const auto* gossiped = std::get_if<node::Gossiped>(&event);
  if (leaving_ && gossiped && std::holds_alternative<swim::Gone>(gossiped->event)) {
    loop_->post([this] { say_goodbye(); });
  }
  if (handler_) handler_(event);
}

// The secret key, then the chain that names it.
Result<void, Error> Engine::store_rotation(ConstBytes bytes) {
  const auto key = crypto::SessionSecret::from(bytes.first(crypto::kKeyBytes));
  prepared_.identity.session = key->clone();
  prepared_.identity.enrolment.chain = to_vector(bytes.subspan(crypto::kKeyBytes));
  return identity::save_rotation(prepared_.store, prepared_.identity);
}

void Engine::store(const node::StoreRequest& request) {
  Result<void, Error> done;
  if (request.name == "certificate") {
    prepared_.identity.enrolment.chain = request.bytes;
    done = identity::save_enrolment(prepared_.store, prepared_.identity.enrolment);
    if (done && renewed_handler_) renewed_handler_();
  } else if (request.name == "rotation") {
    done = store_rotation(request.bytes);
  } else {
    done = prepared_.store.put(request.name, request.bytes);
  }
  if (!done) {
    // Not stored, not answered: whoever waits for this asks again.
    if (handler_) {
      handler_(node::Notice{node::Notice::Level::kError, std::string(code_name(done.error().code)),
                            "cannot store " + request.name + ": " + done.error().text});
    }
    return;
  }
  stored_tickets_.push_back(request.ticket);
}

Result<config::ReloadPlan, Error> Engine::reload() {
  const auto file = load_valid_config(prepared_.config.path, prepared_.get_environment);
  if (!file) return Fail(file.error());
  const auto plan = config::take_changes(prepared_.config.loaded, file->loaded);
  node_->change_settings({.punch = config().punch.enable,
                          .probes_per_second = config().punch.probes_per_second,
                          .resolve_timeout = config().network.resolve_timeout,
                          .retain = config().network.retain});
  node_->set_allowed(io::now(), config().network.allow);
  return plan;
}

void Engine::leave() {
  if (std::exchange(leaving_, true)) return loop_->stop();
  node_->leave_gossip(io::now());
  pump();
}

// The gossip cluster knows; now hubs and peers.
void Engine::say_goodbye() {
  node_->leave(io::now());
  pump();
  const io::Alarm end = loop_->add_alarm([this] {
    node_->leave(io::now());  // sent twice (docs/wire/ginnel.md section 6, GOODBYE)
    pump();
    loop_->stop();
  });
  loop_->set(end, io::now() + kGoodbyeTime);
}

}  // namespace ginnel::runtime
