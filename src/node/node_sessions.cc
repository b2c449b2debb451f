// Who is talked to, and who is let in:
//
//   1. a session begins: we want it (session_with), or somebody initiates (handle_unknown_initiator)
//   2. a key pair stands (handle_established): our HELLO is due
//   3. their HELLO comes (handle_hello): certificate, revocation, pins, epoch
//   4. it is accepted (accept_hello): lanes, and at a hub registration
#include <algorithm>

#include "base/assert.h"
#include "node/gossip/gossip.h"
#include "node/node.h"

namespace ginnel::node {
namespace {

using control::RefusedCode;

}  // namespace

void Node::add_hub(Instant now, const crypto::SessionPublic& key, std::vector<Endpoint> endpoints) {
  if (key == device_.public_key() || endpoints.empty()) return;
  Session* session = nullptr;
  if (const auto known = device_.find_peer(key)) {
    session = find(*known);
  } else if (const auto handle = device_.add_peer(now, key, own_node_config(key, false))) {
    session = &add_session(*handle, key);
  }
  if (!session) return;
  session->hub_endpoints = std::move(endpoints);
  session->hub_endpoint = 0;
  if (session->hub_link) return;
  session->hub_link = std::make_unique<HubLink>(identity_.network, config_.hub_heartbeat);
  // It may have talked to us as a peer until now, through another hub. Who relays is reached itself.
  close_agent(*session);
  const bool stays = session->has_key_pair && session->route && !is_relay_path(session->route->path);
  if (!stays) set_route(now, *session, {kSocket, session->hub_endpoints.front()});
  if (session->has_key_pair) {
    if (session->is_ready()) session->hub_link->session_up(now);
    return;
  }
  device_.begin_handshake(now, session->handle);
  session->hub_retry = now + kHubEndpointTime;
}

Session* Node::find(wg::PeerHandle handle) const {
  const auto it = sessions_.find(handle);
  return it == sessions_.end() ? nullptr : it->second.get();
}

Session* Node::find(const Id& id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : find(it->second);
}

Session& Node::add_session(wg::PeerHandle handle, const crypto::SessionPublic& key) {
  auto session = std::make_unique<Session>(handle, key, epoch_);
  Session& out = *session;
  sessions_.emplace(handle, std::move(session));
  if (const Peer* peer = directory_.find_session_key(key)) bind(out, peer->record.id);
  return out;
}

void Node::bind(Session& session, const Id& id) {
  session.id = id;
  by_id_[id] = session.handle;
}

void Node::drop_session(wg::PeerHandle handle, const Error& why) {
  Session* session = find(handle);
  if (!session) return;
  if (session->id) {
    const auto it = by_id_.find(*session->id);
    if (it != by_id_.end() && it->second == handle) {
      if (gossip_) gossip_->session_down(*session->id);
      by_id_.erase(it);
    }
    raise(PeerChanged{*session->id});
  }
  retire_channels(*session, why);
  for (const EarlyMessage& message : std::exchange(session->early, {})) {
    give_back(*session, message, why);
  }
  fail_unanswered(*session, why);
  ready_.erase(handle);
  observed_.erase(handle);
  device_.remove_peer(handle);
  sessions_.erase(handle);
  forwarding_changed();
}

// Through a hub that both attach to; the first message never waits for a direct path.
std::optional<wg::Route> Node::first_route(const Peer& peer) const {
  for (const auto& [hub, row] : peer.hubs) {
    const Session* via = find(hub);
    if (row.online && row.relay_index != 0 && via && is_relay(*via)) {
      return relay_route(via->handle, row.relay_index);
    }
  }
  // At a hub: straight to its own peers.
  if (const Attached* attached = registry_.find(peer.record.id)) {
    if (attached->endpoint.port != 0) return wg::Route{kSocket, attached->endpoint};
  }
  return std::nullopt;
}

Session* Node::session_with(Instant now, const Id& id) {
  Session* session = reach_session(now, id);
  if (!session) return nullptr;
  end_gossip_only(now, *session);
  session->wanted = true;
  return session;
}

Session* Node::reach_session(Instant now, const Id& id) {
  Session* session = find(id);
  const Peer* peer = directory_.find(id);
  if (!session) {
    if (!peer || !is_allowed(id)) return nullptr;
    const crypto::SessionPublic& key = peer->record.session_key;
    const auto handle = device_.add_peer(now, key, own_node_config(key, false));
    if (!handle) return nullptr;
    session = &add_session(*handle, peer->record.session_key);
  }
  if (session->has_key_pair || session->stock) return session;
  if (peer && !session->hub_link && (!session->route || is_relay_path(session->route->path))) {
    if (const auto route = first_route(*peer)) set_route(now, *session, *route);
  }
  device_.begin_handshake(now, session->handle);
  return session;
}

void Node::set_route(Instant now, Session& session, const wg::Route& route) {
  if (session.route == route) return;
  session.route = route;
  device_.set_endpoint(now, session.handle, route.path, route.endpoint);
  if (session.id) {
    raise(PeerChanged{*session.id});
    for (auto& [handle, other] : sessions_) {
      if (other->hub_link) other->hub_link->announce(now);
    }
    const auto attachment = attachments_.find(*session.id);
    if (attachment != attachments_.end() && !is_relay_path(route.path)) {
      change_relay(now, {forward::RelayChange::Kind::kMove,
                         {.index = attachment->second.first,
                          .key = attachment->second.second,
                          .path = route.path,
                          .to = route.endpoint,
                          .quota = {}}});
    }
  }
  forwarding_changed();
}

void Node::handle_device_events(Instant now) {
  while (auto event = device_.poll_event()) {
    if (auto* up = std::get_if<wg::SessionEstablished>(&*event)) {
      if (Session* session = find(up->peer)) handle_established(now, *session);
    } else if (auto* from = std::get_if<wg::Authenticated>(&*event)) {
      Session* session = find(from->peer);
      // Between peers only the agent moves the route, on a proven answer. And a hub that has not
      // heard from us for a while may write through another hub; we go on to its own address.
      // A stock peer knows no relay: whoever wraps its packets into one does not get its traffic.
      const bool knows_no_relay = session && (session->hub_link || session->stock);
      const bool ignored = knows_no_relay && is_relay_path(from->from.path);
      if (session && !session->agent && !ignored) set_route(now, *session, from->from);
    } else if (auto* failed = std::get_if<wg::HandshakeFailed>(&*event)) {
      if (Session* session = find(failed->peer)) handle_failed(now, *session);
    } else if (auto* unknown = std::get_if<wg::UnknownInitiator>(&*event)) {
      handle_unknown_initiator(now, *unknown);
    } else if (auto* expired = std::get_if<wg::ProvisionalExpired>(&*event)) {
      drop_session(expired->peer, {Errc::kUnreachable, "the peer proved nothing", ""});
    } else if (auto* added = std::get_if<wg::KeyPairAdded>(&*event)) {
      add_key_pair(added->peer, added->key_pair);
    } else if (auto* retired = std::get_if<wg::KeyPairRetired>(&*event)) {
      retire_key_pair(retired->peer, std::move(retired->key_pair));
    }
  }
}

void Node::handle_established(Instant now, Session& session) {
  wake(session);
  forwarding_changed();
  const bool first = !session.has_key_pair;
  session.has_key_pair = true;
  remember_handshake(now, session);
  if (session.stock) return;
  open_agent(now, session);
  // A rekey needs no HELLO, but who restarted needs one, and only it knows: it sends its own first.
  if (first || !session.hello.is_complete()) session.hello.start(now);
}

void Node::handle_failed(Instant now, Session& session) {
  session.has_key_pair = false;
  if (session.hub_link) {
    session.hub_retry = now;
    hub_lost(now, session);
  } else if (session.id) {
    raise(PeerChanged{*session.id});
  }
}

void Node::handle_unknown_initiator(Instant now, const wg::UnknownInitiator& who) {
  // A key known from table E needs no probation; any other proves itself by HELLO or JOIN.
  const bool known = directory_.find_session_key(who.key) != nullptr;
  const auto handle = device_.accept(now, who.token, own_node_config(who.key, !known));
  if (!handle) return;
  Session& session = add_session(*handle, who.key);
  set_route(now, session, who.from);
}

void Node::refuse(Session& session, control::FrameType of, const Refusal& why) {
  (void)push_frame(session, control::Refused{of, why.code, why.text});
}

void Node::handle_hello(Instant now, Session& session, ConstBytes body) {
  const auto hello = control::parse_hello(body);
  if (!hello) return;
  if (!control::negotiate({}, *hello)) {
    return refuse(session, control::FrameType::kHello, {RefusedCode::kVersion, "no common version", {}});
  }
  if (!hello->has_certificate()) return;  // a newcomer: JOIN follows
  ConstBytes chain = hello->chain;
  if (hello->leaf_hash) {
    const Peer* peer = directory_.find_session_key(session.key);
    if (!peer) return answer_without_acceptance(now, session);
    chain = peer->record.chain;
  }
  auto record = admit(now, chain);
  if (record && record->session_key != session.key && !follow_rotation(now, session, *record)) {
    record = Fail(Refusal{RefusedCode::kCertificateInvalid, "the certificate is of another key", {}});
  }
  if (record) {
    if (const auto refusal = not_allowed(session, record->id)) record = Fail(*refusal);
  }
  if (!record) {
    report_refusal(now, session, record.error());
    if (record.error().code == RefusedCode::kWrongNetwork) note_wrong_network(session);
    return refuse(session, control::FrameType::kHello, record.error());
  }
  using Epoch = HelloExchange::Epoch;
  if (session.hello.classify(hello->epoch) == Epoch::kStale) {
    return refuse(session, control::FrameType::kHello,
                  {RefusedCode::kStaleEpoch, "a later run of this node was seen", {}});
  }
  accept_hello(now, session, *hello, *record);
}

// We do not know the hash: our own HELLO, without "I hold yours", makes the full one come.
void Node::answer_without_acceptance(Instant now, Session& session) {
  session.hello.start(now);
  wake(session);
}

void Node::accept_hello(Instant now, Session& session, const control::Hello& hello,
                        const PeerRecord& record) {
  const auto epoch = session.hello.classify(hello.epoch);
  const bool was_ready = session.is_ready();
  session.hello.accept(now, hello);
  device_.keep(session.handle);
  if (Session* old = find(record.id); old && old != &session) take_over(now, *old, session);
  directory_.set_record(record);
  bind(session, record.id);
  remember_handshake(now, session);
  const bool other_epoch = !session.channels || session.channels->peer_epoch() != hello.epoch;
  const Error restarted{Errc::kUnreachable,
                        "the peer restarted; whether it had the message is unknown", ""};
  if (other_epoch && epoch == HelloExchange::Epoch::kNewer) fail_unanswered(session, restarted);
  if (other_epoch) {
    retire_channels(session, restarted);
    session.channels = std::make_unique<Channels>(
        Channels::Options{.own_epoch = epoch_, .peer_epoch = hello.epoch}, budget_);
    for (EarlyMessage& message : session.early) message.in_lanes = false;
  }
  flush_early(session);
  open_agent(now, session);
  if (session.hub_link && (!was_ready || epoch == HelloExchange::Epoch::kNewer)) {
    session.hub_link->session_up(now);
    session.hub_retry.reset();
  }
  if (other_epoch) gossip_up(now, session);
  wake(session);
  raise(PeerChanged{record.id});
  forwarding_changed();
}

// The same node under a new session key. In the same run the lanes go on; retiring them otherwise
// is the caller's.
void Node::replace_session(Session& old, Session& session) {
  if (!session.channels) session.channels = std::move(old.channels);
  if (session.early.empty()) {
    session.early = std::exchange(old.early, {});
    session.early_bytes = std::exchange(old.early_bytes, 0);
  }
  // What it waits for is not lost with this session.
  by_id_.erase(*std::exchange(old.id, std::nullopt));
  drop_session(old.handle, {Errc::kUnreachable, "the peer has a new key", ""});
}

void Node::end_revoked(Instant now) {
  std::vector<wg::PeerHandle> ended;
  for (const auto& [handle, session] : sessions_) {
    const Peer* peer = session->id ? directory_.find(*session->id) : nullptr;
    if (peer && trust_.is_revoked(peer->record.id, peer->record.serial)) ended.push_back(handle);
  }
  for (const wg::PeerHandle handle : ended) {
    const Id id = *find(handle)->id;
    detach(now, id);
    if (find(handle)->hub_link) hub_lost(now, *find(handle));
    drop_session(handle, {Errc::kUnreachable, "the peer was revoked", ""});
    directory_.forget(id);
    notice(Notice::Level::kInfo, "", id.text() + " was revoked; its session is ended");
  }
}

// A hub that does not answer may answer at another of its addresses.
void Node::retry_hubs(Instant now, Session& session) {
  if (!session.hub_retry || *session.hub_retry > now || session.hub_endpoints.empty()) return;
  session.hub_retry = now + kHubEndpointTime;
  if (session.has_key_pair) return;
  session.hub_endpoint = (session.hub_endpoint + 1) % session.hub_endpoints.size();
  set_route(now, session, {kSocket, session.hub_endpoints[session.hub_endpoint]});
  device_.begin_handshake(now, session.handle);
}

}  // namespace ginnel::node
