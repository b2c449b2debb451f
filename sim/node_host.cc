#include "sim/node_host.h"

#include <algorithm>

#include "base/drain.h"
#include "base/timers.h"
#include "sim/machine.h"

namespace ginnel::sim {
namespace {

// Lets a checker see each datagram on its way out.
class Tap {
 public:
  Tap(SendBatch& batch, const NodeHost::DatagramHandler& handler)
      : batch_(batch), handler_(handler) {}
  Bytes slot() { return slot_ = batch_.slot(); }
  void commit(const Transmit& transmit) {
    if (handler_) handler_(slot_.first(transmit.size));
    batch_.commit(transmit);
  }

 private:
  SendBatch& batch_;
  const NodeHost::DatagramHandler& handler_;
  Bytes slot_;
};

Nanoseconds offset_of(const Clock& clock) { return Nanoseconds{clock.wall.ns - clock.now.ns}; }

std::vector<Endpoint> endpoints_of(const std::vector<std::string>& texts) {
  std::vector<Endpoint> out;
  for (const std::string& text : texts) {
    if (const auto endpoint = Endpoint::parse(text)) out.push_back(*endpoint);
  }
  return out;
}

}  // namespace

void NodeHost::start(const Clock& clock, Machine& machine) {
  machine_ = &machine;
  auto& hub = setup_.config.hub;
  // A peer's port is chosen once and kept, so that its NAT mapping survives a restart.
  if (port_ == 0 && hub) port_ = kHubPort;
  port_ = machine.bind(kSocket, port_).value_or(port_);
  if (hub && !hub->public_endpoint) {
    hub->public_endpoint = Endpoint{machine.addresses().front(), port_};
  }
  machine.bind(node::kProbeSocket, hub ? hub->probe_port : std::uint16_t{0});
  if (setup_.identity.chain.empty()) {
    start_joiner(clock);
  } else {
    start_node(clock);
  }
}

void NodeHost::start_joiner(const Clock& clock) {
  auto token = control::parse_token(setup_.token);
  if (!token) return;
  node::Joiner::Options options;
  for (const control::TokenHub& hub : token->hubs) {
    options.endpoints.push_back(endpoints_of(hub.endpoints));
  }
  options.token = *std::move(token);
  options.name = setup_.name;
  if (const auto& hub = setup_.config.hub; hub && hub->public_endpoint) {
    options.own_endpoints.push_back(hub->public_endpoint->text());
  }
  joiner_ = std::make_unique<node::Joiner>(std::move(options), setup_.identity, machine_->rng(),
                                           clock.now, clock.wall);
}

std::optional<node::Refusal> NodeHost::refusal() const {
  return joiner_ ? joiner_->last_refusal() : std::nullopt;
}

void NodeHost::finish_join(const Clock& clock) {
  const auto& outcome = joiner_->outcome();
  if (!outcome || !*outcome) return;
  const node::JoinedOutcome& joined = **outcome;
  setup_.identity.chain = joined.chain;
  setup_.config.network_name = joined.network_name;
  setup_.config.overlay_v4 = joined.overlay_v4;
  for (const control::HubEntry& hub : joined.hubs) {
    setup_.config.hubs.push_back({hub.session, endpoints_of(hub.endpoints)});
  }
  joiner_.reset();
  start_node(clock);
}

// Epochs start at random and grow with each run (docs/wire/ginnel.md section 6).
std::uint64_t NodeHost::next_epoch() {
  epoch_ = epoch_ == 0 ? machine_->rng().below(std::uint64_t{1} << 61) + 1 : epoch_ + 1;
  return epoch_;
}

void NodeHost::start_node(const Clock& clock) {
  const node::Stored stored{disk_["pins"], disk_["revocations"], disk_["tokens"], disk_["peers"],
                            disk_["handshakes"], disk_["tags"]};
  node_ = std::make_unique<node::Node>(setup_.config, setup_.identity.clone(), stored, next_epoch(),
                                       machine_->rng(), clock.now, clock.wall);
  wall_since_start_ = offset_of(clock);
  if (setup_.config.forwarding_threads) {
    plane_ = std::make_unique<VirtualPlane>(*node_, machine_->rng());
  }
  if (setup_.all_channels) node_->subscribe_all();
  tell_interfaces(clock.now);
}

void NodeHost::crash() {
  joiner_.reset();
  plane_.reset();
  node_.reset();
  stored_tickets_.clear();
  next_.reset();
}

// Private addresses stand in a /24, as home routers have it; public ones alone.
void NodeHost::tell_interfaces(Instant now) {
  const std::vector<Address> addresses = machine_->addresses();
  std::vector<Prefix> subnets;
  for (const Address& address : addresses) {
    const int host_bits = !address.is_private() ? 0 : address.is_v4() ? 8 : 64;
    subnets.push_back(Prefix::make(address, static_cast<std::uint8_t>(128 - host_bits)));
  }
  node_->set_interfaces(now, std::move(subnets), addresses, port_);
}

void NodeHost::handle_network_change(const Clock& clock) {
  if (node_) tell_interfaces(clock.now);
}

// As the daemon does (runtime/engine/engine_host.cc, notice_sleep).
void NodeHost::handle_resumed(const Clock& clock) {
  if (!node_) return;
  tell_wall(clock);
  tell_interfaces(clock.now);
  node_->resumed(clock.now);
}

void NodeHost::handle_too_big(const Clock& clock, const TooBig& what) {
  if (node_) node_->handle_too_large(clock.now, what.to, what.size);
}

void NodeHost::tell_wall(const Clock& clock) {
  if (!node_ || wall_since_start_ == offset_of(clock)) return;
  wall_since_start_ = offset_of(clock);
  node_->set_wall(clock.now, clock.wall);
}

void NodeHost::handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) {
  tell_wall(clock);
  if (joiner_) joiner_->handle_datagram(clock.now, arrival.path, arrival.from, bytes);
  if (plane_ && arrival.path == kSocket) {
    return plane_->handle_datagram(clock.now, arrival.from, arrival.local.address, bytes);
  }
  if (node_) node_->handle_datagram(clock.now, arrival.path, arrival.from, bytes);
}

void NodeHost::send_packet(Instant now, ConstBytes packet) {
  if (plane_) return plane_->handle_tun_packet(now, packet);
  if (node_) node_->handle_tun_packet(now, packet);
}

void NodeHost::handle_timeout(const Clock& clock) {
  tell_wall(clock);
  if (joiner_) joiner_->handle_timeout(clock.now);
  if (node_) node_->handle_timeout(clock.now);
}

void NodeHost::drain(const Clock& clock, SendBatch& batch) {
  Tap tap(batch, on_datagram_);
  if (joiner_) {
    next_ = ginnel::drain(*joiner_, clock.now, tap, [](auto) {});
    finish_join(clock);
  }
  if (!node_) return;
  // What the plane sealed before leaves before what the core seals now.
  move_packets(clock.now, batch);
  if (plane_) plane_->take_due(clock.now);
  for (bool more = true; more;) {
    more = false;
    next_ = ginnel::drain(*node_, clock.now, tap, [&](node::Event event) {
      handle(clock.now, std::move(event));
      more = true;
    });
    for (const std::uint64_t ticket : std::exchange(stored_tickets_, {})) {
      node_->handle_stored(ticket);
      more = true;
    }
  }
  if (!plane_) return;
  plane_->publish(clock.now);
  move_packets(clock.now, batch);
  next_ = earlier(next_, plane_->next_timeout());
}

// Datagrams of the plane to the socket, IP packets to the programs.
void NodeHost::move_packets(Instant now, SendBatch& batch) {
  if (!plane_) return;
  Tap tap(batch, on_datagram_);
  for (Bytes slot = tap.slot(); !slot.empty(); slot = tap.slot()) {
    const auto datagram = plane_->poll_datagram();
    if (!datagram) break;
    std::ranges::copy(datagram->bytes, slot.begin());
    tap.commit({.path = kSocket,
                .to = datagram->to,
                .source = datagram->source,
                .size = datagram->bytes.size()});
  }
  while (auto packet = plane_->poll_tun()) {
    if (on_event_) on_event_(now, node::TunPacket{*std::move(packet)});
  }
}

void NodeHost::handle(Instant now, node::Event event) {
  if (plane_ && plane_->handle(event)) return;
  const auto* request = std::get_if<node::StoreRequest>(&event);
  if (!request) {
    if (on_event_) on_event_(now, event);
    return;
  }
  if (request->name == "certificate") {
    setup_.identity.chain = request->bytes;
  } else {
    disk_[request->name] = request->bytes;
  }
  stored_tickets_.push_back(request->ticket);
}

}  // namespace ginnel::sim
