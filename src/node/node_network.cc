// Where this node stands: its interfaces, the NAT in front of them, and what handshakes must
// remember. Interfaces are told by the driver; the NAT is asked for (nat_discovery.h).
#include "base/reader.h"
#include "base/timers.h"
#include "node/node.h"

namespace ginnel::node {

void Node::set_interfaces(Instant now, std::vector<Prefix> subnets, std::vector<Address> addresses,
                          std::uint16_t port) {
  if (subnets == subnets_ && addresses == addresses_ && port == port_) return;
  subnets_ = std::move(subnets);
  addresses_ = std::move(addresses);
  port_ = port;
  nat_.set_own(addresses_, port_);
  try_everything(now);
}

void Node::resumed(Instant now) { try_everything(now); }

// As if on another network: hubs and peers hear from us at once, by every path there may be.
void Node::try_everything(Instant now) {
  nat_.network_changed(now);
  for (auto& [handle, session] : sessions_) {
    if (session->hub_link) session->hub_link->announce(now);
    if (session->agent) session->agent->network_changed(now);
    refresh_agent(now, *session);
  }
}

void Node::set_interface_mtu(std::size_t bytes) {
  interface_mtu_ = bytes;
  for (auto& [handle, session] : sessions_) {
    if (session->agent) session->agent->set_interface_mtu(bytes);
  }
}

// The address of a hub that is up, else the first that it may have: it only serves to notice that
// nothing at all comes back.
void Node::refresh_stun_servers(Instant now) {
  std::vector<StunServer> servers;
  for (const auto& [handle, session] : sessions_) {
    if (!session->hub_link || session->hub_endpoints.empty()) continue;
    const bool online = session->hub_link->state() == HubLink::State::kOnline;
    StunServer& server = servers.emplace_back();
    server.main = online && session->route ? session->route->endpoint : session->hub_endpoints[0];
    const auto& registration = session->hub_link->registration();
    if (registration) server.probe_port = registration->probe_port;
  }
  nat_.set_servers(now, std::move(servers));
}

bool Node::handle_stun_answer(Instant now, PathId path, const Endpoint& from, ConstBytes bytes) {
  if (Reader(bytes).u16be() != stun::kBindingResponse) return false;
  const bool of_nat = nat_.handle_answer(now, path, from, bytes);
  const bool ours = of_nat || (path == kSocket && inquiry_.handle_answer(now, from, bytes));
  if (!ours) return false;
  take_nat_changes(now);
  handle_hub_certificates(now);
  return true;
}

void Node::take_nat_changes(Instant now) {
  if (!nat_.poll_event()) return;
  for (auto& [handle, session] : sessions_) {
    if (session->hub_link) session->hub_link->announce(now);
    if (session->agent) session->agent->set_udp_blocked(is_udp_blocked());
    refresh_agent(now, *session);
  }
}

// Hubs that are down do not answer either: only with nobody to talk to it is the network's fault.
bool Node::is_udp_blocked() const {
  if (!nat_.udp_blocked()) return false;
  for (const auto& [handle, session] : sessions_) {
    if (session->has_key_pair) return false;
  }
  return true;
}

// Where a hub is at a loopback address, so are its peers (many nodes on one host); nowhere else is
// a loopback address a way to anybody.
bool Node::is_on_loopback() const {
  if (config_.hub && config_.hub->public_endpoint) {
    if (config_.hub->public_endpoint->address.is_loopback()) return true;
  }
  for (const auto& [handle, session] : sessions_) {
    if (!session->hub_link || !session->route) continue;
    if (session->route->endpoint.address.is_loopback()) return true;
  }
  return false;
}

std::vector<Prefix> Node::local_subnets() const {
  std::vector<Prefix> out = subnets_;
  if (!is_on_loopback()) return out;
  out.push_back(Prefix::make(Address::v4(127, 0, 0, 0), 96 + 8));
  out.push_back(Prefix::host(*Address::parse("::1")));
  return out;
}

wg::PeerConfig Node::own_node_config(const crypto::SessionPublic& key, bool provisional) const {
  wg::PeerConfig out;
  out.retransmission = wg::Retransmission::kOwnNode;
  out.is_provisional = provisional;
  out.greatest_accepted = handshakes_.greatest_accepted(key);
  if (identity_.preshared) out.preshared = identity_.preshared->clone();
  if (config_.connect_eagerly && !provisional) out.persistent_keepalive = kEagerKeepalive;
  return out;
}

// Not of strangers: they could fill the memory with keys that they make.
void Node::remember_handshake(Instant now, const Session& session) {
  if (!session.id && !session.stock && !session.hub_link) return;
  const auto greatest = device_.greatest_timestamp_accepted(session.handle);
  if (greatest) handshakes_.note_accepted(now, session.key, *greatest);
}

void Node::run_host(Instant now) {
  refresh_stun_servers(now);
  nat_.handle_timeout(now);
  take_nat_changes(now);
  inquiry_.handle_timeout(now);
  look_after_configured_hubs(now);
  handshakes_.note_sent(now, device_.last_timestamp_sent());
  if (handshakes_.take_due(now)) store("handshakes", handshakes_.write());
  store_due_pins(now);
  expire_rotation(now);
  run_reach(now);
}

std::optional<Instant> Node::next_host_timeout() const {
  std::optional<Instant> out =
      earlier(earlier(nat_.next_timeout(), handshakes_.next_timeout()), next_hub_question());
  if (rotation_) out = earlier(out, rotation_->deadline);
  return earlier(out, earlier(pins_due_, connect_again_));
}

std::optional<Transmit> Node::poll_host(Instant now, Bytes slot) {
  if (auto transmit = nat_.poll_transmit(now, slot)) return transmit;
  return inquiry_.poll_transmit(now, slot);
}

}  // namespace ginnel::node
