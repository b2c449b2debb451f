#include "proto/wg/device.h"

#include "base/assert.h"
#include "proto/wg/padding.h"

namespace ginnel::wg {

Device::Device(const Config& config, crypto::SessionSecret key, Rng rng, Instant now, Wall wall)
    : config_(config),
      local_(std::move(key)),
      rng_(std::move(rng)),
      wall_(wall),
      wall_since_(now),
      stamps_(config.last_timestamp_sent),
      checker_(local_.public_key, config.cookie_lifetime, rng_.fork("cookie")),
      load_(config.handshakes_per_second_max),
      receivers_(rng_.fork("receiver index")) {}

void Device::set_wall(Instant now, Wall wall) {
  wall_ = wall;
  wall_since_ = now;
}

// --- peers

Peer* Device::find(PeerHandle handle) const {
  const auto it = peers_.find(handle);
  return it == peers_.end() ? nullptr : it->second.get();
}

Peer* Device::find(const crypto::SessionPublic& key) const {
  const auto handle = find_peer(key);
  return handle ? find(*handle) : nullptr;
}

std::optional<PeerHandle> Device::find_peer(const crypto::SessionPublic& key) const {
  const auto it = handles_.find(key);
  return it == handles_.end() ? std::nullopt : std::optional(it->second);
}

Result<PeerHandle, PeerError> Device::add_peer(Instant now, const crypto::SessionPublic& key,
                                               PeerConfig config) {
  if (key == local_.public_key) return Fail(PeerError::kOwnKey);
  auto keys = RemoteKeys::make(local_, key, std::move(config.preshared));
  if (!keys) return Fail(PeerError::kWeakKey);
  return insert_peer(now, std::move(*keys), std::move(config));
}

Result<PeerHandle, PeerError> Device::insert_peer(Instant now, RemoteKeys keys, PeerConfig config) {
  if (handles_.contains(keys.public_key)) return Fail(PeerError::kExists);
  if (peers_.size() >= kPeersMax) return Fail(PeerError::kTooMany);
  if (config.is_provisional && provisional() >= kProvisionalMax) return Fail(PeerError::kTooMany);
  const PeerHandle handle(++last_handle_);
  handles_.emplace(keys.public_key, handle);
  Peer& peer =
      *peers_
           .emplace(handle, std::make_unique<Peer>(handle, std::move(keys), std::move(config),
                                                   config_.cookie_lifetime))
           .first->second;
  peer.unanswered_jitter = jitter();
  peer.persistent_since = now;
  if (peer.config.is_provisional) {
    ++provisional_peers_;
    peer.timers.set(PeerTimer::kProvisional, now + config_.provisional_time);
  }
  schedule(peer, now);
  return handle;
}

void Device::remove_peer(PeerHandle handle) {
  Peer* peer = find(handle);
  if (peer == nullptr) return;
  keep(handle);
  stop_attempt(*peer);
  wipe_keys(*peer);
  deadlines_.stop(handle);
  handles_.erase(peer->keys.public_key);
  peers_.erase(handle);
}

// An initiation that is out was made with the old key, and its answer could not be read.
void Device::begin_anew(Peer& peer, Instant now) {
  if (!peer.attempt) return;
  stop_attempt(peer);
  begin(peer, now);
  schedule(peer, now);
}

void Device::change_key(Instant now, crypto::SessionSecret key) {
  local_ = LocalKeys(std::move(key));
  checker_ = CookieChecker(local_.public_key, config_.cookie_lifetime, rng_.fork("cookie"));
  unknown_.expire(Instant{INT64_MAX});  // they named the old key
  for (auto& [handle, peer] : peers_) {
    auto keys = RemoteKeys::make(local_, peer->keys.public_key, peer->keys.preshared.clone());
    GINNEL_ASSERT(keys.has_value());  // the peer's key was no weak one when it came
    peer->keys = *std::move(keys);
    begin_anew(*peer, now);
  }
}

Result<void, PeerError> Device::change_peer_key(Instant now, PeerHandle handle,
                                                const crypto::SessionPublic& key) {
  Peer* peer = find(handle);
  if (peer == nullptr) return Fail(PeerError::kNoSuchToken);
  if (key == local_.public_key) return Fail(PeerError::kOwnKey);
  if (handles_.contains(key)) return Fail(PeerError::kExists);
  auto keys = RemoteKeys::make(local_, key, peer->keys.preshared.clone());
  if (!keys) return Fail(PeerError::kWeakKey);
  handles_.erase(peer->keys.public_key);
  handles_.emplace(key, handle);
  peer->keys = *std::move(keys);
  peer->cookies = CookieJar(key, config_.cookie_lifetime);
  begin_anew(*peer, now);
  return {};
}

void Device::set_endpoint(Instant now, PeerHandle handle, PathId path, const Endpoint& endpoint) {
  Peer* peer = find(handle);
  if (peer == nullptr) return;
  const Route route{path, endpoint};
  if (peer->route == route) return;
  const bool is_first = !peer->route;
  peer->route = route;
  peer->reported.reset();
  flush_staged(*peer);
  if (is_first && peer->config.persistent_keepalive > 0ns && !peer->sending_pair(now)) {
    begin(*peer, now);
  }
  // An attempt toward the old place does not wait for its timer.
  if (peer->attempt) {
    const auto& last = peer->last_handshake_sent;
    const Instant earliest = last ? *last + peer->handshake_spacing(config_) : now;
    const auto due = peer->timers.deadline(PeerTimer::kRetransmit);
    peer->timers.set(PeerTimer::kRetransmit, *earlier(due, std::max(now, earliest)));
    retransmit_if_due(*peer, now);
  }
  schedule(*peer, now);
}

void Device::set_rtt(PeerHandle handle, Nanoseconds rtt) {
  if (Peer* peer = find(handle)) peer->config.rtt = rtt;
}

void Device::set_persistent_keepalive(Instant now, PeerHandle handle, Nanoseconds interval) {
  Peer* peer = find(handle);
  if (peer == nullptr) return;
  peer->config.persistent_keepalive = interval;
  peer->persistent_since = now;
  if (interval > 0ns && peer->route && !peer->sending_pair(now)) begin(*peer, now);
  schedule(*peer, now);
}

void Device::keep(PeerHandle handle) {
  Peer* peer = find(handle);
  if (peer == nullptr || !peer->timers.is_set(PeerTimer::kProvisional)) return;
  peer->timers.stop(PeerTimer::kProvisional);
  --provisional_peers_;
}

void Device::begin_handshake(Instant now, PeerHandle handle) {
  Peer* peer = find(handle);
  if (peer == nullptr) return;
  begin(*peer, now);
  schedule(*peer, now);
}

KeyPair* Device::current_key_pair(PeerHandle handle) const {
  const Peer* peer = find(handle);
  return peer == nullptr ? nullptr : peer->pairs.current();
}

std::optional<Timestamp> Device::greatest_timestamp_accepted(PeerHandle handle) const {
  const Peer* peer = find(handle);
  return peer == nullptr ? std::nullopt : std::optional(peer->greatest_accepted);
}

// --- key pairs

std::unique_ptr<KeyPair> Device::make_pair(const Peer& peer, const TransportKeys& keys, Instant now,
                                           KeyPair::Init init) {
  init.peer = peer.handle;
  init.created = now;
  init.reject_after_time = config_.reject_after_time;
  init.reject_after_messages = config_.reject_after_messages;
  init.activity = peer.activity;
  return std::make_unique<KeyPair>(keys, std::move(init));
}

void Device::announce(const Peer& peer, KeyPair* pair) {
  receivers_.set(pair->local_index(), pair);
  raise(KeyPairAdded{peer.handle, pair});
}

void Device::retire(const Peer& peer, KeyPairs::Retired& retired) {
  for (auto& pair : retired) {
    receivers_.release(pair->local_index());
    raise(KeyPairRetired{peer.handle, std::move(pair)});
  }
}

// --- sending

Result<std::size_t, NotReady> Device::seal(Instant now, PeerHandle handle, ConstBytes plaintext,
                                           Bytes out) {
  Peer* peer = find(handle);
  if (peer == nullptr) return Fail(NotReady::kNoSuchPeer);
  const std::size_t padded = padded_size(plaintext.size(), config_.mtu_bytes);
  if (out.size() < padded + kDataOverheadBytes) return Fail(NotReady::kTooLarge);
  KeyPair* pair = peer->sending_pair(now);
  const auto counter = pair != nullptr ? pair->reserve(1) : std::nullopt;
  if (!counter) {
    if (plaintext.size() > kStagedBytesMax) return Fail(NotReady::kTooLarge);
    stage(*peer, plaintext);
    begin(*peer, now);
    schedule(*peer, now);
    return Fail(NotReady::kStaged);
  }
  const Bytes body = out.subspan(kDataHeaderBytes, padded);
  std::copy(plaintext.begin(), plaintext.end(), body.begin());
  std::ranges::fill(body.subspan(plaintext.size()), std::byte{0});
  const std::size_t size = pair->seal(Sender::kControl, *counter, body, out);
  using Packet = Activity::Packet;
  peer->activity->note_sent(now, plaintext.empty() ? Packet::kKeepalive : Packet::kData);
  keep_fresh(*peer, now);
  schedule(*peer, now);
  return size;
}

void Device::stage(Peer& peer, ConstBytes plaintext) {
  if (peer.staged.size() >= kStagedMax) peer.staged.pop_front();
  peer.staged.push_back(to_vector(plaintext));
}

void Device::flush_staged(Peer& peer) {
  if (peer.is_flushing || peer.staged.empty() || !peer.route) return;
  peer.is_flushing = true;
  flushing_.push_back(peer.handle);
}

Device::Outgoing* Device::enqueue(const Route& to) {
  if (outgoing_.size() >= kTransmitQueueMax) return nullptr;
  outgoing_.push_back({to, 0, {}});
  return &outgoing_.back();
}

std::optional<Transmit> Device::poll_transmit(Instant now, Bytes out) {
  if (outgoing_.empty()) return transmit_staged(now, out);
  const Outgoing& front = outgoing_.front();
  if (front.size > out.size()) return std::nullopt;
  std::copy_n(front.bytes.begin(), front.size, out.begin());
  const Transmit transmit{
      .path = front.to.path, .to = front.to.endpoint, .source = {}, .size = front.size};
  outgoing_.pop_front();
  return transmit;
}

std::optional<Transmit> Device::transmit_staged(Instant now, Bytes out) {
  while (!flushing_.empty()) {
    Peer* peer = find(flushing_.front());
    if (peer == nullptr || peer->staged.empty() || !peer->sending_pair(now)) {
      flushing_.pop_front();
      if (peer != nullptr) peer->is_flushing = false;
      continue;
    }
    const ByteVector plaintext = std::move(peer->staged.front());
    peer->staged.pop_front();
    const auto size = seal(now, peer->handle, plaintext, out);
    if (size) {
      return Transmit{
          .path = peer->route->path, .to = peer->route->endpoint, .source = {}, .size = *size};
    }
    // Staged again: a forwarding thread took the pair's last counters. Then the pair sends no more.
    if (size.error() == NotReady::kStaged) continue;
    peer->staged.push_front(plaintext);  // no room in `out`
    return std::nullopt;
  }
  return std::nullopt;
}

// --- events

void Device::raise(Event event) {
  const bool may_be_dropped = std::holds_alternative<Authenticated>(event) ||
                              std::holds_alternative<UnknownInitiator>(event);
  if (may_be_dropped && events_.size() >= kEventQueueMax) return;
  events_.push_back(std::move(event));
}

std::optional<Device::Event> Device::poll_event() {
  if (events_.empty()) return std::nullopt;
  std::optional<Event> out(std::move(events_.front()));
  events_.pop_front();
  return out;
}

}  // namespace ginnel::wg
