// What arrives: the four messages in the order of the flow in device.h.
#include "base/assert.h"
#include "proto/wg/device.h"

namespace ginnel::wg {

Result<Opened, Drop> Device::open(Instant now, PathId path, const Endpoint& from, Bytes datagram) {
  const auto type = message_type(datagram);
  if (!type) return Fail(type.error());
  const Arrival arrival{now, {path, from}};
  switch (*type) {
    case MessageType::kInitiation:
      return handle_initiation(arrival, datagram);
    case MessageType::kResponse:
      return handle_response(arrival, datagram);
    case MessageType::kCookieReply:
      return handle_cookie_reply(arrival, datagram);
    case MessageType::kData:
      return handle_data(arrival, datagram);
  }
  return Fail(Drop::kUnknownType);
}

// Section 5.3: no state and no Diffie-Hellman for who does not know our key, nor, under load, for
// who has not proved to own its address.
std::optional<Drop> Device::refuse_unproven(const Arrival& arrival, ConstBytes message,
                                            ReceiverIndex sender, bool demand_cookie) {
  if (!checker_.mac1_is_right(message)) return Drop::kWrongMac1;
  load_.note(arrival.now);
  if (!demand_cookie && !load_.is_under_load(arrival.now)) return std::nullopt;
  if (!checker_.mac2_is_right(arrival.now, arrival.from, message)) {
    if (Outgoing* reply = enqueue(arrival.from)) {
      reply->size =
          checker_.create_reply(arrival.now, arrival.from, message, sender).write(reply->bytes);
    }
    return Drop::kCookieDemanded;
  }
  if (!limiter_.allow(arrival.now, arrival.from.endpoint.address)) return Drop::kRateLimited;
  return std::nullopt;
}

// --- 1: initiation

Result<Opened, Drop> Device::handle_initiation(const Arrival& arrival, Bytes bytes) {
  const auto message = Initiation::parse(bytes);
  if (!message) return Fail(message.error());
  const bool demand_cookie = provisional() >= kProvisionalWithoutCookie;
  if (const auto why = refuse_unproven(arrival, bytes, message->sender, demand_cookie)) {
    return Fail(*why);
  }
  auto opened = open_initiation(local_, *message);
  if (!opened) return Fail(opened.error());
  if (opened->remote_static == local_.public_key) return Fail(Drop::kOwnKey);
  Peer* peer = find(opened->remote_static);
  if (peer == nullptr) return handle_unknown(arrival, std::move(*opened), *message);

  const auto timestamp = open_timestamp(*opened, *message, peer->keys.static_static);
  if (!timestamp) return Fail(timestamp.error());
  if (*timestamp <= peer->greatest_accepted) return Fail(Drop::kReplayedTimestamp);
  if (peer->initiation_accepted &&
      arrival.now - *peer->initiation_accepted < config_.initiation_interval_min) {
    return Fail(Drop::kFlood);
  }
  const auto pair = respond(*peer, arrival, *opened, *timestamp);
  if (!pair) return Fail(pair.error());
  report_source(*peer, arrival.from);
  return Opened{MessageType::kInitiation, peer->handle, nullptr, {}};
}

Result<KeyPair*, Drop> Device::respond(Peer& peer, const Arrival& arrival,
                                       const OpenedInitiation& opened, const Timestamp& timestamp) {
  Response response;
  const ReceiverIndex index = receivers_.allocate(peer.handle);
  const auto keys = create_response(opened, peer.keys.preshared,
                                    crypto::SessionSecret::generate(rng_), index, response);
  if (!keys) {
    receivers_.release(index);
    return Fail(keys.error());
  }
  peer.greatest_accepted = timestamp;
  peer.initiation_accepted = arrival.now;
  // A new session, with the time of a new one: a newcomer that joins and then starts shakes hands
  // twice, and the first one's end must not take the second one's keys.
  if (peer.timers.is_set(PeerTimer::kProvisional)) {
    peer.timers.set(PeerTimer::kProvisional, arrival.now + config_.provisional_time);
  }
  KeyPairs::Retired retired;
  auto made = make_pair(peer, *keys, arrival.now,
                        {.peer = {},
                         .local_index = index,
                         .remote_index = opened.sender,
                         .is_initiator = false,
                         .created = {},
                         .reject_after_time = {},
                         .reject_after_messages = {},
                         .activity = {}});
  KeyPair* pair = made.get();
  peer.pairs.add_as_responder(std::move(made), retired);
  retire(peer, retired);
  announce(peer, pair);

  // Section 5.4.3: the response goes where the initiation came from, whatever our route is.
  if (Outgoing* out = enqueue(arrival.from)) {
    out->size = response.write(out->bytes);
    peer.cookies.add_macs(arrival.now, Bytes(out->bytes).first(out->size));
  }
  peer.last_handshake_sent = arrival.now;
  peer.activity->note_received(arrival.now, Activity::Packet::kKeepalive);
  peer.activity->note_sent(arrival.now, Activity::Packet::kKeepalive);
  peer.timers.set(PeerTimer::kWipe, arrival.now + config_.wipe_after());
  schedule(peer, arrival.now);
  return pair;
}

// Nobody we know: the owner is asked, but only about those who hold the key they name.
Result<Opened, Drop> Device::handle_unknown(const Arrival& arrival, OpenedInitiation opened,
                                            const Initiation& message) {
  const crypto::SessionPublic key = opened.remote_static;
  const bool is_waiting = unknown_.find(key) != nullptr;
  if (!is_waiting && provisional() >= kProvisionalMax) return Fail(Drop::kTooManyUnknown);
  auto keys = RemoteKeys::make(local_, key, {});
  if (!keys) return Fail(keys.error());
  const auto timestamp = open_timestamp(opened, message, keys->static_static);
  if (!timestamp) return Fail(timestamp.error());
  const bool is_new = unknown_.add({.token = {},
                                    .opened = std::move(opened),
                                    .static_static = std::move(keys->static_static),
                                    .timestamp = *timestamp,
                                    .from = arrival.from,
                                    .expires = arrival.now + config_.provisional_time});
  if (is_new) raise(UnknownInitiator{key, arrival.from, unknown_.find(key)->token});
  return Fail(Drop::kUnknownInitiator);
}

Result<PeerHandle, PeerError> Device::accept(Instant now, InitiatorToken token, PeerConfig config) {
  unknown_.expire(now);
  auto waiting = unknown_.take(token);
  if (!waiting) return Fail(PeerError::kNoSuchToken);
  if (waiting->timestamp <= config.greatest_accepted) return Fail(PeerError::kReplayed);
  RemoteKeys keys{waiting->opened.remote_static, std::move(waiting->static_static),
                  std::move(config.preshared)};
  const auto handle = insert_peer(now, std::move(keys), std::move(config));
  if (!handle) return handle;
  Peer& peer = *find(*handle);
  peer.route = waiting->from;
  if (!respond(peer, {now, waiting->from}, waiting->opened, waiting->timestamp)) {
    remove_peer(*handle);
    return Fail(PeerError::kWeakKey);
  }
  return handle;
}

void Device::refuse(InitiatorToken token) { (void)unknown_.take(token); }

// --- 2: response

Result<Opened, Drop> Device::handle_response(const Arrival& arrival, Bytes bytes) {
  const auto message = Response::parse(bytes);
  if (!message) return Fail(message.error());
  if (const auto why = refuse_unproven(arrival, bytes, message->sender, false)) return Fail(*why);
  const auto entry = receivers_.find(message->receiver);
  Peer* peer = entry ? find(entry->peer) : nullptr;
  if (peer == nullptr || !peer->outstanding || peer->outstanding->index != message->receiver) {
    return Fail(Drop::kUnknownReceiver);
  }
  const auto keys =
      consume_response(peer->outstanding->handshake, local_, peer->keys.preshared, *message);
  if (!keys) return Fail(keys.error());
  peer->outstanding.reset();  // the index goes on as the pair's
  stop_attempt(*peer);

  KeyPairs::Retired retired;
  auto made = make_pair(*peer, *keys, arrival.now,
                        {.peer = {},
                         .local_index = message->receiver,
                         .remote_index = message->sender,
                         .is_initiator = true,
                         .created = {},
                         .reject_after_time = {},
                         .reject_after_messages = {},
                         .activity = {}});
  KeyPair* pair = made.get();
  peer->pairs.add_as_initiator(std::move(made), retired);
  retire(*peer, retired);
  announce(*peer, pair);
  raise(SessionEstablished{peer->handle, pair->local_index(), true});
  peer->activity->note_received(arrival.now, Activity::Packet::kKeepalive);
  peer->timers.set(PeerTimer::kWipe, arrival.now + config_.wipe_after());
  report_source(*peer, arrival.from);
  // Section 5.4.4: the responder may not send before it has heard from us under the new keys.
  if (peer->staged.empty()) send_keepalive(*peer, arrival.now);
  flush_staged(*peer);
  schedule(*peer, arrival.now);
  return Opened{MessageType::kResponse, peer->handle, nullptr, {}};
}

// --- 3: cookie reply

Result<Opened, Drop> Device::handle_cookie_reply(const Arrival& arrival, Bytes bytes) {
  const auto message = CookieReply::parse(bytes);
  if (!message) return Fail(message.error());
  const auto entry = receivers_.find(message->receiver);
  Peer* peer = entry ? find(entry->peer) : nullptr;
  if (peer == nullptr) return Fail(Drop::kUnknownReceiver);
  const auto cookie = peer->cookies.consume_reply(arrival.now, *message);
  if (!cookie) return Fail(cookie.error());
  return Opened{MessageType::kCookieReply, peer->handle, nullptr, {}};
}

// --- 4: data

Result<Opened, Drop> Device::handle_data(const Arrival& arrival, Bytes bytes) {
  const auto header = DataHeader::parse(bytes);
  if (!header) return Fail(header.error());
  const auto entry = receivers_.find(header->receiver);
  if (!entry || entry->key_pair == nullptr) return Fail(Drop::kUnknownReceiver);
  Peer& peer = *find(entry->peer);
  KeyPair* pair = entry->key_pair;
  const auto plaintext = pair->open(arrival.now, bytes);
  if (!plaintext) return Fail(plaintext.error());
  using Packet = Activity::Packet;
  peer.activity->note_received(arrival.now,
                               plaintext->empty() ? Packet::kKeepalive : Packet::kData);
  if (pair == peer.pairs.next()) confirm(peer);
  report_source(peer, arrival.from);
  keep_fresh(peer, arrival.now);
  schedule(peer, arrival.now);
  return Opened{MessageType::kData, peer.handle, pair, *plaintext};
}

void Device::handle_data_facts(Instant now, ReceiverIndex index, const DataFacts& facts) {
  const auto entry = receivers_.find(index);
  if (!entry || entry->key_pair == nullptr) return;  // it was retired meanwhile
  Peer& peer = *find(entry->peer);
  if (facts.confirmed && entry->key_pair == peer.pairs.next()) confirm(peer);
  if (facts.from) report_source(peer, *facts.from);
  keep_fresh(peer, now);
  schedule(peer, now);
}

void Device::confirm(Peer& peer) {
  peer.pairs.confirm_next();
  stop_attempt(peer);
  raise(SessionEstablished{peer.handle, peer.pairs.current()->local_index(), false});
  flush_staged(peer);
}

// Roaming is the owner's decision (it may know better paths): tell it once per new source.
void Device::report_source(Peer& peer, const Route& from) {
  if (peer.route == from) {
    peer.reported.reset();
    return;
  }
  if (peer.reported == from) return;
  peer.reported = from;
  raise(Authenticated{peer.handle, from});
}

}  // namespace ginnel::wg
