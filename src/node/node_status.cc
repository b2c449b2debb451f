// Snapshots for `status`, `peers` and `hubs`: what authenticated data did lately, never what was
// once configured.
#include <algorithm>

#include "node/node.h"

namespace ginnel::node {
namespace {

// A session that was silent for longer says nothing of its peer any more.
constexpr Nanoseconds kFresh = 5s;

std::vector<std::string> texts_of(const std::vector<Address>& addresses) {
  std::vector<std::string> out;
  for (const Address& address : addresses) out.push_back(address.text());
  return out;
}

}  // namespace

std::chrono::system_clock::time_point date_of(Wall wall) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(Nanoseconds(wall.ns)));
}

PathInfo Node::path_of(const Session& session) const {
  PathInfo out;
  if (!session.has_key_pair || !session.route) return out;
  out.rtt = session.rtt();
  out.mtu = mtu_to(session);
  if (session.agent) {
    out.reason = std::string(path::reason_code(session.agent->reason()));
    if (session.agent->reason() == path::Reason::kOk) out.reason.clear();
    if (session.agent->rtt()) out.rtt = session.agent->rtt();
    out.loss = session.agent->loss();
  }
  if (session.hub_link) out.loss = session.hub_link->loss();
  if (!session.agent && !session.hub_link) describe_by_report(session, out);
  if (is_relay_path(session.route->path)) {
    out.kind = PathKind::kRelayUdp;
    out.via = relay_name(session.route->path);
    return out;
  }
  out.endpoint = session.route->endpoint.text();
  if (session.agent && session.agent->selected()) {
    out.kind = session.agent->kind();
    return out;
  }
  out.kind = PathKind::kDirect;
  if (session.stock) return out;
  for (const Prefix& subnet : subnets_) {
    if (subnet.contains(session.route->endpoint.address)) out.kind = PathKind::kLan;
  }
  return out;
}

// A hub asks its peers nothing; they measure their links to it and report (table B).
void Node::describe_by_report(const Session& session, PathInfo& out) const {
  const Attached* row = session.id ? registry_.find(*session.id) : nullptr;
  if (!row) return;
  const auto link = std::ranges::find(row->links, self_.id, &control::LinkReport::peer);
  if (link == row->links.end() || link->rtt_us == 0) return;
  out.rtt = std::chrono::microseconds(link->rtt_us);
  out.loss = link->loss_per_65536 / 65536.0;
}

void Node::describe_traffic(Instant now, const Session& session, PeerInfo& out) const {
  out.path = path_of(session);
  out.rx_bytes = session.rx_bytes + session.traffic->received_bytes.load();
  out.tx_bytes = session.tx_bytes + session.traffic->sent_bytes.load();
  if (const auto heard = session.heard()) out.last_seen = date_of(wall(now) + (*heard - now));
}

std::optional<PeerInfo> Node::peer_info(Instant now, const Id& id) const {
  const Peer* peer = directory_.find(id);
  if (!peer) return std::nullopt;
  PeerInfo out;
  out.id = id;
  out.name = peer->record.name;
  out.addresses = texts_of(peer->record.addresses);
  if (const auto it = losses_.find(id); it != losses_.end()) out.losses = it->second;
  const Session* session = find(id);
  const std::optional<Instant> heard = session ? session->heard() : std::nullopt;
  const bool fresh = heard && now - *heard < kFresh;
  if (session) describe_traffic(now, *session, out);
  if (fresh || peer->is_online() || registry_.find(id)) {
    out.state = PeerState::kOnline;
    if (!heard) out.last_seen = date_of(wall(now));  // by a hub
  } else if (session && !session->has_key_pair) {
    out.state = PeerState::kConnecting;
  }
  return out;
}

StatusSnapshot Node::status(Instant now) const {
  StatusSnapshot out;
  out.network = config_.network_name;
  out.id = self_.id;
  out.name = self_.name;
  out.addresses = texts_of(self_.addresses);
  out.session_key = device_.public_key().base64();
  out.certificate_not_after = self_.not_after;
  out.by_secret = identity_.is_by_secret();
  if (config_.hub) {
    HubStatus self{.id = self_.id, .name = self_.name, .state = PeerState::kOnline};
    if (config_.hub->public_endpoint) self.endpoint = config_.hub->public_endpoint->text();
    out.hubs.push_back(std::move(self));
  }
  for (const auto& [handle, session] : sessions_) {
    if (session->hub_link) out.hubs.push_back(hub_status(*session));
  }
  for (HubStatus& hub : unmet_hubs()) out.hubs.push_back(std::move(hub));
  out.nat = nat_.nat();
  out.udp_blocked = is_udp_blocked();
  for (const auto& [id, peer] : directory_.peers()) {
    if (!is_allowed(id)) continue;
    if (auto info = peer_info(now, id)) out.peers.push_back(*std::move(info));
  }
  for (const auto& [handle, session] : sessions_) {
    if (session->stock) out.peers.push_back(stock_info(now, *session));
  }
  return out;
}

HubStatus Node::hub_status(const Session& session) const {
  HubStatus out;
  const Peer* hub = session.id ? directory_.find(*session.id) : nullptr;
  if (hub) {
    out.id = hub->record.id;
    out.name = hub->record.name;
  }
  out.rtt = session.rtt();
  if (session.route) out.endpoint = session.route->endpoint.text();
  out.wrong_network = is_wrong_network(session.key);
  switch (session.hub_link->state()) {
    case HubLink::State::kOnline: out.state = PeerState::kOnline; break;
    case HubLink::State::kRegistering: out.state = PeerState::kConnecting; break;
    case HubLink::State::kDown: out.state = PeerState::kDown; break;
  }
  return out;
}

}  // namespace ginnel::node
