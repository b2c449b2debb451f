// When things happen by themselves: attempts, keepalives, rekeying, wiping (the WireGuard paper,
// sections 6.2 to 6.5).
#include "base/assert.h"
#include "proto/wg/device.h"

namespace ginnel::wg {

// --- attempts

void Device::begin(Peer& peer, Instant now) {
  if (peer.attempt) return;
  peer.attempt = Attempt{};
  // Section 6.1: at most one initiation per REKEY_TIMEOUT. A response counts: its session may be
  // about to be confirmed.
  const auto& last = peer.last_handshake_sent;
  const Instant earliest = last ? *last + peer.handshake_spacing(config_) : now;
  if (now >= earliest) return send_initiation(peer, now);
  peer.timers.set(PeerTimer::kRetransmit, earliest);
}

void Device::send_initiation(Peer& peer, Instant now) {
  Attempt& attempt = *peer.attempt;
  if (!attempt.has_begun) {
    attempt.has_begun = true;
    attempt.started = now;
  }
  if (!peer.route) {  // set_endpoint() makes it due
    peer.timers.set(PeerTimer::kRetransmit, now + config_.rekey_timeout);
    return;
  }
  if (peer.outstanding) receivers_.release(peer.outstanding->index);
  peer.outstanding.reset();
  const ReceiverIndex index = receivers_.allocate(peer.handle);
  Initiation message;
  auto handshake = create_initiation(local_, peer.keys, crypto::SessionSecret::generate(rng_),
                                     index, stamps_.next(wall_at(now)), message);
  GINNEL_ASSERT(handshake.has_value());  // a weak static key was refused when the peer was added
  peer.outstanding = Outstanding{std::move(*handshake), index};
  if (Outgoing* out = enqueue(*peer.route)) {
    out->size = message.write(out->bytes);
    peer.cookies.add_macs(now, Bytes(out->bytes).first(out->size));
  }
  ++attempt.sent;
  peer.last_handshake_sent = now;
  peer.activity->note_sent(now, Activity::Packet::kKeepalive);
  peer.timers.set(PeerTimer::kRetransmit, peer.next_initiation(config_, jitter()));
}

void Device::retransmit_if_due(Peer& peer, Instant now) {
  if (!peer.timers.take_expired(PeerTimer::kRetransmit, now)) return;
  const Attempt& attempt = *peer.attempt;
  const bool is_over = attempt.has_begun && now - attempt.started >= config_.rekey_attempt_time;
  is_over ? give_up(peer, now) : send_initiation(peer, now);
}

void Device::give_up(Peer& peer, Instant now) {
  stop_attempt(peer);
  peer.staged.clear();
  peer.gave_up = now;
  if (!peer.timers.is_set(PeerTimer::kWipe) && peer.pairs.current() != nullptr) {
    peer.timers.set(PeerTimer::kWipe, now + config_.wipe_after());
  }
  raise(HandshakeFailed{peer.handle});
}

void Device::stop_attempt(Peer& peer) {
  peer.attempt.reset();
  peer.timers.stop(PeerTimer::kRetransmit);
  if (peer.outstanding) receivers_.release(peer.outstanding->index);
  peer.outstanding.reset();
}

// --- keepalives and rekeying

void Device::send_keepalive(Peer& peer, Instant now) {
  KeyPair* pair = peer.sending_pair(now);
  const auto counter = pair != nullptr ? pair->reserve(1) : std::nullopt;
  if (!counter) return begin(peer, now);
  if (!peer.route) return;
  Outgoing* out = enqueue(*peer.route);
  if (out == nullptr) return;
  out->size = pair->seal(Sender::kControl, *counter, {}, out->bytes);
  peer.activity->note_sent(now, Activity::Packet::kKeepalive);
  keep_fresh(peer, now);
}

// Section 6.2. Only a pair's initiator renews it by age, so that not both do at once.
void Device::keep_fresh(Peer& peer, Instant now) {
  const KeyPair* pair = peer.pairs.current();
  if (pair == nullptr || peer.attempt) return;
  const auto happened_after = [&peer](std::optional<Instant> at, Instant age) {
    return at && *at >= age && (!peer.gave_up || *at > *peer.gave_up);
  };
  const auto sent = peer.activity->sent();
  if (pair->messages_sent() > config_.rekey_after_messages &&
      happened_after(sent, pair->created())) {
    return begin(peer, now);
  }
  if (!pair->is_initiator()) return;
  if (happened_after(sent, pair->created() + config_.rekey_after_time)) return begin(peer, now);
  if (peer.last_minute_tried == pair->local_index()) return;
  if (happened_after(peer.activity->received(), pair->created() + config_.last_minute_age())) {
    peer.last_minute_tried = pair->local_index();
    begin(peer, now);
  }
}

void Device::wipe_keys(Peer& peer) {
  KeyPairs::Retired retired;
  peer.pairs.clear(retired);
  retire(peer, retired);
}

// --- the clock

void Device::handle_timeout(Instant now) {
  unknown_.expire(now);
  while (const auto handle = deadlines_.take_expired(now)) {
    Peer& peer = *find(*handle);
    run_timers(peer, now);
    if (find(*handle) != nullptr) schedule(peer, now);
  }
}

void Device::run_timers(Peer& peer, Instant now) {
  if (peer.timers.take_expired(PeerTimer::kProvisional, now)) {
    --provisional_peers_;
    const PeerHandle handle = peer.handle;
    remove_peer(handle);
    return raise(ProvisionalExpired{handle});
  }
  if (peer.timers.take_expired(PeerTimer::kWipe, now)) wipe_keys(peer);
  retransmit_if_due(peer, now);
  run_activity_timers(peer, now);
  keep_fresh(peer, now);
}

void Device::run_activity_timers(Peer& peer, Instant now) {
  const auto is_due = [now](std::optional<Instant> at) { return at && *at <= now; };
  // Section 6.5: what we sent was not answered.
  if (is_due(unanswered_deadline(peer))) {
    peer.activity->forget_data_sent();
    peer.unanswered_jitter = jitter();
    begin(peer, now);
  }
  // Section 6.5: passive keepalive.
  if (is_due(passive_deadline(peer))) {
    peer.activity->forget_data_received();
    const bool again = peer.activity->take_more_data();
    send_keepalive(peer, now);
    if (again) peer.activity->expect_keepalive(now);
  }
  if (is_due(persistent_deadline(peer))) {
    peer.persistent_since = now;
    send_keepalive(peer, now);
  }
}

std::optional<Instant> Device::unanswered_deadline(const Peer& peer) const {
  const auto since = peer.activity->data_sent_since();
  if (!since) return std::nullopt;
  return *since + config_.unanswered_timeout() + peer.unanswered_jitter;
}

std::optional<Instant> Device::passive_deadline(const Peer& peer) const {
  const auto since = peer.activity->data_received_since();
  return since ? std::optional(*since + config_.keepalive_timeout) : std::nullopt;
}

std::optional<Instant> Device::persistent_deadline(const Peer& peer) const {
  if (peer.config.persistent_keepalive <= 0ns || !peer.route) return std::nullopt;
  Instant since = peer.persistent_since;
  for (const auto at : {peer.activity->sent(), peer.activity->received()}) {
    if (at && *at > since) since = *at;
  }
  return since + peer.config.persistent_keepalive;
}

std::optional<Instant> Device::next_deadline(const Peer& peer, Instant now) const {
  std::optional<Instant> out = peer.timers.next();
  out = earlier(out, unanswered_deadline(peer));
  out = earlier(out, passive_deadline(peer));
  out = earlier(out, persistent_deadline(peer));
  if (config_.sweep_interval > 0ns && peer.pairs.current() != nullptr) {
    // All peers at the same instants, so that many of them are one wake-up.
    const std::int64_t interval = config_.sweep_interval.count();
    out = earlier(out, Instant{(now.ns / interval + 1) * interval});
  }
  return out;
}

void Device::schedule(const Peer& peer, Instant now) {
  const auto deadline = next_deadline(peer, now);
  if (!deadline) return;
  const auto queued = deadlines_.deadline(peer.handle);
  if (!queued || *deadline < *queued) deadlines_.set(peer.handle, *deadline);
}

std::optional<Instant> Device::next_timeout() const {
  return earlier(deadlines_.next(), unknown_.next_expiry());
}

}  // namespace ginnel::wg
