// Our attachment to hubs: registration, heartbeat, the copy of table E, revocations.
#include <algorithm>

#include "base/timers.h"
#include "node/gossip/gossip.h"
#include "node/node.h"
#include "proto/control/network_info.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::ControlType;

// The numbers of the kinds are the same on both wires (docs/wire/ginnel.md sections 7 and 8).
std::vector<path::Candidate> candidates_of(const control::NetworkInfo& info) {
  std::vector<path::Candidate> out;
  for (const control::Candidate& candidate : info.candidates) {
    out.push_back({static_cast<path::CandidateKind>(candidate.kind), candidate.endpoint});
  }
  return out;
}

}  // namespace

void Node::run_hub_link(Instant now, Session& session) {
  HubLink& link = *session.hub_link;
  retry_hubs(now, session);
  if (link.take_lost(now)) {
    session.hub_retry = now;
    return hub_lost(now, session);
  }
  if (link.take_snapshot_request(now) && session.channels) {
    session.channels->send_control(ControlType::kSnapshotRequest,
                                   control::to_bytes(control::SnapshotRequest{}));
    wake(session);
  }
}

void Node::compose_hub_frames(Instant now, Session& session) {
  HubLink& link = *session.hub_link;
  if (link.register_due(now)) {
    control::Register message = link.take_register(now);
    message.network_info = network_info();
    message.links = link_reports();
    (void)push_frame(session, message);
  }
  if (link.heartbeat_due(now)) {
    control::Heartbeat message = link.take_heartbeat(now);
    message.revocations_number = trust_.revocations().number;
    message.revocations_hash = trust_.revocations_hash();
    (void)push_frame(session, message);
  }
}

// Table D: what hubs see of us, and what we are configured with. LAN addresses stay end to end.
//
// The same candidates are the same bytes: then nobody is told anew.
const ByteVector& Node::network_info() {
  control::NetworkInfo info;
  const auto add = [&](control::Candidate::Kind kind, const Endpoint& endpoint) {
    const bool known = std::ranges::any_of(
        info.candidates, [&](const auto& candidate) { return candidate.endpoint == endpoint; });
    if (known || endpoint.port == 0 || info.candidates.size() >= control::kCandidatesMax) return;
    info.candidates.push_back({kind, endpoint});
  };
  if (config_.hub && config_.hub->public_endpoint) {
    add(control::Candidate::Kind::kPublic, *config_.hub->public_endpoint);
  }
  for (const auto& [hub, endpoint] : observed_) {
    add(control::Candidate::Kind::kServerReflexive, endpoint);
  }
  for (const Endpoint& endpoint : nat_.mapped()) {
    add(control::Candidate::Kind::kServerReflexive, endpoint);
  }
  if (network_info_.empty() || told_candidates_ != info.candidates) {
    info.epoch = epoch_;
    info.sequence = ++info_sequence_;
    control::sign_network_info(info, identity_.identity, identity_.network);
    network_info_ = control::to_bytes(info);
    told_candidates_ = std::move(info.candidates);
  }
  return network_info_;
}

// Table F. Hubs first, then those heard last.
std::vector<control::LinkReport> Node::link_reports() const {
  std::vector<const Session*> live;
  for (const auto& [handle, session] : sessions_) {
    if (session->has_key_pair && session->is_ready() && session->route) live.push_back(session.get());
  }
  const auto importance = [](const Session* session) {
    return std::pair(session->hub_link != nullptr, session->heard().value_or(Instant{}));
  };
  std::ranges::stable_sort(live, std::ranges::greater{}, importance);
  if (live.size() > control::kLinksMax) live.resize(control::kLinksMax);
  std::vector<control::LinkReport> out;
  for (const Session* session : live) {
    const PathInfo path = path_of(*session);
    const auto rtt = std::chrono::duration_cast<std::chrono::microseconds>(path.rtt.value_or(0ns));
    const auto rtt_us = std::clamp<std::int64_t>(rtt.count(), 0, 0xffff'ffff);
    const double loss = std::min(path.loss.value_or(0) * 65536, 65535.0);
    out.push_back({.peer = *session->id,
                   .path = path.kind,
                   .rtt_us = static_cast<std::uint32_t>(rtt_us),
                   .loss_per_65536 = static_cast<std::uint16_t>(loss)});
  }
  return out;
}

void Node::handle_registered(Instant now, Session& session, const control::Registered& message) {
  if (!session.hub_link || !session.id) return;
  const bool was_online = session.hub_link->state() == HubLink::State::kOnline;
  if (!session.hub_link->handle_registered(now, message)) return;
  forwarding_changed();  // the relay's index and key
  note_observed(now, session, message.observed);
  if (!was_online) {
    raise(HubChanged{*session.id, true});
    refresh_agents(now);
    update_stopped(now);
    resume_waiting_sessions(now);
  }
  resolve_waiting(now);
}

void Node::note_observed(Instant now, const Session& hub, const Endpoint& observed) {
  if (observed.port == 0 || observed_[hub.handle] == observed) return;
  observed_[hub.handle] = observed;
  for (auto& [handle, session] : sessions_) {
    if (session->hub_link) session->hub_link->announce(now);
    refresh_agent(now, *session);
  }
}

// Sessions that had no way to their peer may have one through this hub.
void Node::resume_waiting_sessions(Instant now) {
  for (auto& [handle, session] : sessions_) {
    if (session->has_key_pair || session->hub_link || !session->id) continue;
    if (!session->early.empty() || !session->packets.empty()) session_with(now, *session->id);
  }
}

void Node::handle_heartbeat_ack(Instant now, Session& session, const control::HeartbeatAck& ack) {
  if (!session.hub_link) return;
  HubLink& link = *session.hub_link;
  const bool is_first = !link.rtt();
  if (link.handle_heartbeat_ack(now, ack)) {
    if (is_first) link.announce(now);  // the first report knew no round trip
    device_.set_rtt(session.handle, *link.rtt());
  }
  note_observed(now, session, ack.observed);
  if (ack.state.revocations_number > trust_.revocations().number && session.channels) {
    std::array<std::byte, 8> held{};
    Writer(held).u64le(trust_.revocations().number);
    session.channels->send_control(ControlType::kRevocationsRequest, held);
  }
}

void Node::take_table_changes(Instant now, Session& session) {
  while (const auto change = session.hub_link->table().poll_change()) {
    if (session.id) apply(now, *session.id, *change);
  }
  connect_to_all(now);
  resolve_waiting(now);
}

void Node::apply(Instant now, const Id& hub, const TableChange& change) {
  if (const auto* removed = std::get_if<RowRemoved>(&change)) {
    directory_.remove_row(hub, removed->id);
    if (Session* session = find(removed->id)) refresh_agent(now, *session);
    raise(PeerChanged{removed->id});
    forwarding_changed();
    return;
  }
  const RowSet& row = std::get<RowSet>(change);
  if (row.id == self_.id) return;
  const Peer* known = directory_.find(row.id);
  if (!known || known->record.chain != row.chain) {
    const auto record = admit(now, row.chain);
    if (!record) {
      if (Session* session = find(hub)) report_refusal(now, *session, record.error());
      return;
    }
    if (Session* session = find(row.id); session && session->key != record->session_key) {
      follow_rotation(now, *session, *record);
    }
    directory_.set_record(*record);
    known = directory_.find(row.id);
    if (!known) return;
  }
  HubRow out{.relay_index = row.relay_index, .epoch = 0, .online = row.online, .candidates = {}};
  const auto info = control::parse_network_info(row.network_info);
  if (info && control::verify_network_info(*info, known->record.identity_key, identity_.network)) {
    out.epoch = info->epoch;
    out.candidates = candidates_of(*info);
  }
  directory_.set_row(hub, row.id, std::move(out));
  if (Session* session = find(row.id)) refresh_agent(now, *session);
  raise(PeerChanged{row.id});
  forwarding_changed();
}

void Node::adopt_revocations(Instant now, ConstBytes set) {
  // Every holder of the secret can sign one: equals shut nobody out.
  if (identity_.is_by_secret()) return;
  const auto changed = trust_.adopt(set, wall(now));
  if (!changed || !*changed) return;
  store("revocations", to_vector(set));
  end_revoked(now);
  if (config_.hub) publish_revocations();
}

void Node::learn_hubs(Instant now, const std::vector<control::HubEntry>& hubs) {
  for (const control::HubEntry& hub : hubs) {
    std::vector<Endpoint> endpoints;
    for (const std::string& text : hub.endpoints) {
      if (const auto endpoint = Endpoint::parse(text)) endpoints.push_back(*endpoint);
    }
    const auto known = device_.find_peer(hub.session);
    const Session* session = known ? find(*known) : nullptr;
    if (!session || !session->hub_link) add_hub(now, hub.session, std::move(endpoints));
  }
}

}  // namespace ginnel::node
