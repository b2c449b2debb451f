// What the forwarding threads know, and what they tell (Config::forwarding_threads):
//
//   1. forwarding_table   who is reached by which key pair and path; whose a packet is
//   2. handle_opened      frames that the receiving thread opened
//   3. handle_data_facts  a pair is confirmed, a packet came from elsewhere
//   4. sweep_traffic      what the threads' counters say of paths, now and then
#include <algorithm>

#include "node/gossip/gossip.h"
#include "node/node.h"

namespace ginnel::node {
namespace {

// How long an agent may not know that packets move. Paths are judged by the second.
constexpr Nanoseconds kSweepInterval = 250ms;
// A peer that was silent for longer and is heard may have been cut off: lanes resend what timed out.
constexpr Nanoseconds kCutAfter = 1s;

bool has_changed(const std::atomic<std::int64_t>& at, std::int64_t& seen) {
  const std::int64_t value = at.load(std::memory_order_relaxed);
  return std::exchange(seen, value) != value;
}

}  // namespace

void Node::change_relay(Instant now, const forward::RelayChange& change) {
  if (config_.forwarding_threads) return raise(RelayChanged{change});
  if (!relay_) return;
  const relay::Attachment& who = change.attachment;
  switch (change.kind) {
    case forward::RelayChange::Kind::kAdd: return relay_->add(now, who);
    case forward::RelayChange::Kind::kMove: return void(relay_->move(who.index, who.path, who.to));
    case forward::RelayChange::Kind::kRemove: return relay_->remove(who.index);
  }
}

void Node::add_key_pair(wg::PeerHandle peer, wg::KeyPair* key_pair) {
  Session* session = find(peer);
  if (!session) return;
  session->key_pairs.push_back(key_pair);
  by_index_[key_pair->local_index()] = peer;
  forwarding_changed();
}

void Node::retire_key_pair(wg::PeerHandle peer, std::unique_ptr<wg::KeyPair> key_pair) {
  if (Session* session = find(peer)) {
    std::erase(session->key_pairs, key_pair.get());
    // Idle for three times REJECT_AFTER_TIME (WireGuard section 6.3): the next packet begins anew.
    if (session->key_pairs.empty()) session->has_key_pair = false;
  }
  by_index_.erase(key_pair->local_index());
  if (config_.forwarding_threads) raise(KeyPairDone{std::move(key_pair)});
}

// What a session may send from, and is sent: its own overlay addresses, or a stock peer's prefixes.
std::vector<Prefix> Node::prefixes_of(const Session& session) const {
  if (session.stock) return session.stock->allowed;
  std::vector<Prefix> out;
  const Peer* peer = session.id ? directory_.find(*session.id) : nullptr;
  if (!peer) return out;
  for (const Address& address : peer->record.addresses) out.push_back(Prefix::host(address));
  return out;
}

// --- 1: the table

bool Node::is_reachable(const Peer& peer, const Session* session) const {
  const bool stopped = stopped_ && !(session && session->hub_link);
  if (stopped || !is_allowed(peer.record.id)) return false;
  return (session && session->has_key_pair) || peer.is_online() ||
         registry_.find(peer.record.id) != nullptr;
}

forward::Destination Node::destination_to(const Session& session) const {
  forward::Destination out;
  out.peer = session.handle;
  out.traffic = session.traffic;
  out.takes_frames = !session.stock;
  out.mtu_bytes = mtu_to(session);
  out.mtu_is_known = mtu_is_known(session);
  if (!session.route || !session.has_key_pair || !(session.stock || session.is_ready())) return out;
  out.to = session.route->endpoint;
  if (is_relay_path(session.route->path)) {
    const Session* hub = find(hub_of(session.route->path));
    if (!hub || !hub->route || !hub->hub_link || !hub->hub_link->registration()) return out;
    const control::Registered& registration = *hub->hub_link->registration();
    out.to = hub->route->endpoint;
    out.relay = forward::RelayVia{relay::Index(registration.relay_index),
                                  relay::Index(session.route->endpoint.address.v4_value()),
                                  registration.relay_key};
  }
  out.key_pair = device_.current_key_pair(session.handle);
  return out;
}

forward::TableContents Node::forwarding_table() const {
  forward::TableContents out;
  out.own_addresses = self_.addresses;
  const auto add = [&](const forward::Destination& to, const std::vector<Prefix>& prefixes) {
    for (const Prefix& prefix : prefixes) out.routes.push_back({prefix, out.destinations.size()});
    out.destinations.push_back(to);
  };
  // Stock peers first: of two equal prefixes the later one counts, which is the certificate's.
  for (const auto& [handle, session] : sessions_) {
    if (session->stock) add(destination_to(*session), prefixes_of(*session));
  }
  for (const auto& [id, peer] : directory_.peers()) {
    const Session* session = find(id);
    if (!is_reachable(peer, session)) {
      // Not lent to a stock peer whose prefix covers it.
      for (const Address& address : peer.record.addresses) {
        if (stock_peer_for(address)) out.own_addresses.push_back(address);
      }
      continue;
    }
    if (session) {
      add(destination_to(*session), prefixes_of(*session));
      continue;
    }
    std::vector<Prefix> prefixes;
    for (const Address& address : peer.record.addresses) prefixes.push_back(Prefix::host(address));
    add({.mtu_bytes = config_.tun_mtu}, prefixes);
  }
  for (const auto& [handle, session] : sessions_) {
    for (wg::KeyPair* key_pair : session->key_pairs) {
      out.origins.push_back({.key_pair = key_pair,
                             .peer = handle,
                             .expected = session->route.value_or(wg::Route{}),
                             .ip_allowed = session->stock.has_value() ||
                                           (session->is_ready() && !is_stopped(*session)),
                             .takes_frames = !session->stock,
                             .traffic = session->traffic});
    }
    if (!session->hub_link || !session->hub_link->registration()) continue;
    const control::Registered& registration = *session->hub_link->registration();
    out.attachments.push_back({relay::Index(registration.relay_index), registration.relay_key,
                               relay_route(handle, 0).path});
  }
  return out;
}

// --- 2, 3: what the receiving thread tells

void Node::note_heard(Instant now, Session& session, const wg::Route& from) {
  const bool was_silent = session.last_received && now - *session.last_received >= kCutAfter;
  if (was_silent && session.channels) session.channels->resume(now);
  if (was_silent && session.id && gossip_) gossip_->resume(now, *session.id);
  session.last_received = now;
  if (session.id) registry_.heard(now, *session.id);
  if (!session.agent) return;
  session.agent->handle_authenticated(now, from.path, from.endpoint);
  run_agent(now, session);
}

void Node::handle_opened(Instant now, wg::ReceiverIndex index, const wg::Route& from,
                         Bytes plaintext) {
  const auto it = by_index_.find(index);
  Session* session = it == by_index_.end() ? nullptr : find(it->second);
  if (!session) return;
  wake(*session);
  note_heard(now, *session, from);
  session->rx_bytes += plaintext.size();
  handle_plaintext(now, *session, from, plaintext);
}

void Node::handle_data_facts(Instant now, wg::ReceiverIndex index,
                             const wg::Device::DataFacts& facts) {
  device_.handle_data_facts(now, index, facts);
  handle_device_events(now);
  const auto it = by_index_.find(index);
  Session* session = it == by_index_.end() ? nullptr : find(it->second);
  if (session && facts.from) note_heard(now, *session, *facts.from);
}

// --- 4: what the counters say

void Node::sweep_traffic(Instant now) {
  if (next_sweep_ && now < *next_sweep_) return;
  next_sweep_ = now + kSweepInterval;
  for (auto& [handle, session] : sessions_) {
    const forward::Traffic& traffic = *session->traffic;
    if (has_changed(traffic.expected_received_ns, session->swept_received_ns) && session->route) {
      note_heard(Instant{session->swept_received_ns}, *session, *session->route);
    }
    if (has_changed(traffic.last_sent_ns, session->swept_sent_ns)) note_ip_sent(now, *session);
  }
}

// The forwarding thread sent IP packets to it.
void Node::note_ip_sent(Instant now, Session& session) {
  if (!session.route) return;
  note_use(now, session);
  if (session.agent) {
    session.agent->want_direct(now);
    session.agent->handle_sent(Instant{session.swept_sent_ns}, session.route->path,
                               session.route->endpoint);
    return run_agent(now, session);
  }
  if (session.stock) return;
  if (!session.mtu) session.mtu.emplace(interface_mtu_).start(now);
  session.mtu->note_used(now);
}

}  // namespace ginnel::node
