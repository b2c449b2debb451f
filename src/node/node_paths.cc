// Which way a session's packets take: the agent decides (src/proto/path), the node tells it what it
// knows and seals what it says.
//
//   1. open_agent      a session with a peer begins; sessions with hubs keep the hub's own address
//   2. refresh_agent   relays, candidates of both sides
//   3. run_agent       its events: the route moves, a reason changes
#include <algorithm>

#include "node/node.h"

namespace ginnel::node {
namespace {

path::Config agent_config(const Config& config, const crypto::NetworkPublic& network, const Id& id,
                          std::size_t mtu_bytes) {
  path::Config out;
  out.mtu_bytes = mtu_bytes;
  out.punch = config.punch;
  out.overlay = {config.overlay_v4, Prefix::make(control::overlay_ipv6(network, id), 48)};
  return out;
}

bool names_source(const Endpoint& endpoint) { return endpoint.port != 0; }

}  // namespace

bool Node::wants_agent(const Session& session) const {
  return session.id && !session.stock && !session.hub_link && !registry_.find(*session.id);
}

void Node::open_agent(Instant now, Session& session) {
  if (session.agent || !wants_agent(session)) return;
  session.agent = std::make_unique<path::Agent>(
      now, agent_config(config_, identity_.network, self_.id, interface_mtu_), probe_budget_,
      rng_.fork("path"));
  refresh_agent(now, session);
  run_agent(now, session);
}

// A hub is reached at its own address, whatever was tried before it registered here.
void Node::close_agent(Session& session) { session.agent.reset(); }

// A hub that is itself reached through another one relays nothing: a relayed packet is not relayed
// again.
bool Node::is_relay(const Session& hub) {
  return hub.hub_link && hub.hub_link->state() == HubLink::State::kOnline && hub.route &&
         !is_relay_path(hub.route->path);
}

std::vector<path::Relay> Node::relays_to(const Id& id) const {
  std::vector<path::Relay> out;
  const Peer* peer = directory_.find(id);
  if (!peer) return out;
  for (const auto& [hub, row] : peer->hubs) {
    const Session* via = find(hub);
    if (!row.online || row.relay_index == 0 || !via || !is_relay(*via)) continue;
    const wg::Route route = relay_route(via->handle, row.relay_index);
    out.push_back({.path = route.path,
                   .endpoint = route.endpoint,
                   .overhead_bytes = relay_overhead(*via)});
  }
  return out;
}

std::vector<path::Candidate> Node::own_candidates() const {
  std::vector<path::Candidate> out;
  const auto add = [&](path::CandidateKind kind, const Endpoint& endpoint) {
    const bool known = std::ranges::any_of(
        out, [&](const path::Candidate& candidate) { return candidate.endpoint == endpoint; });
    if (!known && names_source(endpoint)) out.push_back({kind, endpoint});
  };
  if (config_.hub && config_.hub->public_endpoint) {
    add(path::CandidateKind::kPublic, *config_.hub->public_endpoint);
  }
  for (const auto& [hub, endpoint] : observed_) add(path::CandidateKind::kServerReflexive, endpoint);
  for (const Endpoint& endpoint : nat_.mapped()) add(path::CandidateKind::kServerReflexive, endpoint);
  for (const Address& address : addresses_) add(path::CandidateKind::kHost, {address, port_});
  return out;
}

void Node::refresh_agent(Instant now, Session& session) {
  if (!session.agent || !session.id) return;
  session.agent->set_local_subnets(local_subnets());
  session.agent->set_udp_blocked(is_udp_blocked());
  session.agent->set_local_candidates(now, own_candidates(), nat_.nat());
  session.agent->set_relays(now, relays_to(*session.id));
  const Peer* peer = directory_.find(*session.id);
  std::vector<path::Candidate> remote;
  if (peer) {
    for (const auto& [hub, row] : peer->hubs) {
      remote.insert(remote.end(), row.candidates.begin(), row.candidates.end());
    }
  }
  session.agent->set_remote_candidates(now, remote);
  run_agent(now, session);
}

void Node::refresh_agents(Instant now) {
  for (auto& [handle, session] : sessions_) refresh_agent(now, *session);
}

void Node::run_agent(Instant now, Session& session) {
  if (!session.agent) return;
  while (const auto event = session.agent->poll_event()) {
    if (const auto* selected = std::get_if<path::PathSelected>(&*event)) {
      set_route(now, session, {selected->now.path, selected->now.endpoint});
    }
    if (session.id) raise(PeerChanged{*session.id});
  }
  note_mtu(session);
  wake(session);
}

void Node::handle_path_frame(Instant now, Session& session, const wg::Route& from,
                             const control::Frame& frame) {
  if (!session.agent) return;
  switch (frame.type) {
    case control::FrameType::kCallMeMaybe:
      (void)session.agent->handle_call_me_maybe(now, frame.body);
      break;
    case control::FrameType::kProbe:
      (void)session.agent->handle_probe(now, from.path, from.endpoint, frame.body,
                                        frame.body.size() + control::kFrameHeaderBytes +
                                            wg::kDataOverheadBytes);
      break;
    case control::FrameType::kProbeAnswer:
      (void)session.agent->handle_probe_answer(now, from.path, from.endpoint, frame.body);
      break;
    default: return;
  }
  run_agent(now, session);
}

// A probe is a packet of its own, on the path that it probes.
std::optional<Transmit> Node::poll_agent(Instant now, Session& session, Bytes slot) {
  if (!session.agent || !session.is_ready()) return std::nullopt;
  const Bytes plaintext =
      slot.subspan(wg::kDataHeaderBytes, slot.size() - wg::kDataOverheadBytes - relay::kHeaderBytes);
  const auto transmit = session.agent->poll_transmit(now, plaintext);
  run_agent(now, session);
  if (!transmit) return std::nullopt;
  const wg::Route route{transmit->path, transmit->to};
  if (is_relay_path(route.path)) {
    std::copy_backward(plaintext.begin(), plaintext.begin() + static_cast<std::ptrdiff_t>(transmit->size),
                       plaintext.begin() + static_cast<std::ptrdiff_t>(transmit->size + relay::kHeaderBytes));
  }
  auto out = seal(now, session, route, transmit->size, slot);
  if (out) out->ttl = transmit->ttl;
  return out;
}

std::vector<Attempt> Node::why(Instant now, const Id& id) const {
  std::vector<Attempt> out;
  const Session* session = find(id);
  if (!session) return out;
  if (!session->agent) {
    const PathInfo path = path_of(*session);
    if (path.kind == PathKind::kNone) return out;
    out.push_back({.local = "",
                   .remote = path.endpoint,
                   .kind = std::string(path_kind_name(path.kind)),
                   .result = "selected",
                   .reason = std::string(path::reason_code(path::Reason::kOk)),
                   .fix = "",
                   .at = date_of(wall(now))});
    return out;
  }
  // Nothing needs mending while the path is direct, whatever else was tried.
  const bool direct = session->agent->reason() == path::Reason::kOk;
  for (const path::Attempt& attempt : session->agent->attempts()) {
    const bool relayed = is_relay_path(attempt.path);
    out.push_back({.local = names_source(attempt.local) ? attempt.local.text() : "",
                   .remote = relayed ? relay_name(attempt.path) : attempt.remote.text(),
                   .kind = std::string(path_kind_name(attempt.kind)),
                   .result = std::string(path::attempt_result_name(attempt.result)),
                   .reason = std::string(path::reason_code(attempt.reason)),
                   .fix = direct ? "" : std::string(path::reason_fix(attempt.reason)),
                   .at = date_of(wall(now) + (attempt.at - now))});
  }
  return out;
}

std::string Node::relay_name(PathId path) const {
  const Session* hub = find(wg::PeerHandle(path.value() - kRelayPathBase));
  const Peer* via = hub && hub->id ? directory_.find(*hub->id) : nullptr;
  return via ? via->record.name : "";
}

}  // namespace ginnel::node
