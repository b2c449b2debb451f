#include "proto/path/agent.h"

#include <algorithm>

namespace ginnel::path {
namespace {

// Traffic asks for a direct path for this long after its last packet.
constexpr Nanoseconds kWantedFor = 30s;
// A peer that data was sent to this long ago is in use.
constexpr Nanoseconds kInUseFor = 5s;
// An answer is 32 bytes; a probe is never smaller, so no probe draws a larger answer.
constexpr std::size_t kSmallPadding = ProbeAnswer::kBytes - Probe::kFixedBytes;

// True the first time. The newest push out the oldest.
template <std::size_t N>
bool is_new(std::array<std::uint64_t, N>& seen, std::size_t& next, std::uint64_t value) {
  if (std::ranges::find(seen, value) != seen.end()) return false;
  seen[next++ % N] = value;
  return true;
}

}  // namespace

Agent::Agent(Instant now, const Config& config, ProbeBudget& budget, Rng rng)
    : config_(config),
      budget_(budget),
      rng_(std::move(rng)),
      switched_at_(now),
      now_(now),
      wanted_until_(now) {
  filter_.set_overlay(config.overlay);
}

void Agent::set_local_candidates(Instant now, std::vector<Candidate> own, stun::NatClass nat) {
  own_nat_ = nat;
  if (own == filter_.own()) return;
  filter_.set_own(std::move(own));
  restate_candidates(now);
}

void Agent::set_remote_candidates(Instant now, const std::vector<Candidate>& remote) {
  std::vector<Candidate> open = remote;
  std::erase_if(open, [](const Candidate& c) { return c.kind == CandidateKind::kHost; });
  open = filter_.accept(open);
  if (open == table_candidates_) return;
  table_candidates_ = std::move(open);
  restate_candidates(now);
}

void Agent::set_relays(Instant now, const std::vector<Relay>& relays) {
  std::vector<RelayPath> next;
  for (const Relay& relay : relays) {
    if (next.size() == kRelaysMax) break;
    RelayPath* const known = find_relay(relay.path);
    const bool same = known && known->relay() == relay;
    next.push_back(same ? *known : RelayPath(relay, config_.mtu_bytes, rng_.u64()));
  }
  relays_ = std::move(next);
  reselect(now);
}

void Agent::relay_lost(Instant now, PathId path) {
  std::erase_if(relays_, [&](const RelayPath& relay) { return relay.relay().path == path; });
  reselect(now);
}

void Agent::network_changed(Instant now) {
  now_ = now;
  failures_ = 0;
  silent_probes_.reset();
  for (Pair& pair : pairs_) pair.doubt(now);
  if (in_use() || now < wanted_until_) start_introduction(now);
}

void Agent::packet_too_large(Instant now, PathId path, const Endpoint& endpoint,
                             std::size_t mtu_bytes) {
  if (path != kSocket) {
    if (RelayPath* const relay = find_relay(path)) relay->mtu().note_too_large(now, mtu_bytes);
  } else if (Pair* const pair = find_pair(endpoint)) {
    pair->mtu().note_too_large(now, mtu_bytes);
  }
}

void Agent::want_direct(Instant now) {
  now_ = now;
  // A new conversation need not wait for what an old one's failures have earned.
  if (now >= wanted_until_) timers_.stop(Timer::kRetry);
  wanted_until_ = now + kWantedFor;
  note_used(now);
  consider_introduction(now);
}

void Agent::handle_sent(Instant now, PathId path, const Endpoint& to) {
  now_ = now;
  note_used(now);
  if (path == kSocket) {
    Pair* const pair = find_pair(to);
    if (!pair) return;
    pair->note_data_sent(now);
    pair->mtu().note_used(now);
  } else if (RelayPath* const relay = find_relay(path)) {
    relay->note_data_sent(now);
    relay->mtu().note_used(now);
  }
}

void Agent::handle_authenticated(Instant now, PathId path, const Endpoint& from) {
  now_ = now;
  if (path != kSocket) {
    if (RelayPath* const relay = find_relay(path)) relay->note_received(now);
    return;
  }
  Pair* pair = find_pair(from);
  if (!pair) pair = add_pair(now, {CandidateKind::kPeerReflexive, from});
  if (!pair) return;
  pair->note_received(now, !asleep_);
  if (!selected_) select(now, Selected{kSocket, from, pair->path_kind()});
}

void Agent::note_used(Instant now) {
  used_at_ = now;
  asleep_ = false;
  timers_.set(Timer::kIdle, now + config_.idle_after);
}

Result<void, Drop> Agent::handle_probe(Instant now, PathId path, const Endpoint& from,
                                       ConstBytes body, std::size_t size) {
  const auto probe = Probe::parse(body);
  if (!probe) return Fail(probe.error());
  // Odd multiplier: sequences of one transaction differ in all bits.
  const std::uint64_t id = probe->transaction ^ (probe->sequence * 0x9e3779b97f4a7c15u);
  if (!is_new(seen_probes_, next_seen_probe_, id)) return Fail(Drop::kReplayed);
  handle_authenticated(now, path, from);
  if (path == kSocket && !find_pair(from)) return Fail(Drop::kTooManyPairs);

  ProbeAnswer answer{.transaction = probe->transaction, .sequence = probe->sequence};
  answer.received_bytes = static_cast<std::uint16_t>(std::min<std::size_t>(size, 0xffff));
  if (path == kSocket) answer.observed = from;
  outgoing_.push({.path = path, .to = from, .body = answer});
  if (path == kSocket) {
    note_far_side_open(now);
  } else if (probe->nominate) {
    peer_left_direct(now);
  }
  return {};
}

// The peer hears nothing from us directly, so what we send there is lost, whatever we hear.
void Agent::peer_left_direct(Instant now) {
  if (!selected_ || selected_->path != kSocket || !best_relay()) return;
  if (Pair* const pair = find_pair(selected_->endpoint)) pair->die(now);
  raise(PathLost{*selected_, Reason::kPathDied});
  reselect(now);
}

Result<void, Drop> Agent::handle_probe_answer(Instant now, PathId path, const Endpoint& from,
                                              ConstBytes body) {
  const auto answer = ProbeAnswer::parse(body);
  if (!answer) return Fail(answer.error());
  now_ = now;
  if (path != kSocket) {
    RelayPath* const relay = find_relay(path);
    if (!relay) return Fail(Drop::kWrongAddress);
    if (!relay->take_answer(now, answer->transaction, answer->sequence)) {
      return Fail(Drop::kUnknownTransaction);
    }
    reselect(now);
    return {};
  }
  // RFC 8445 section 7.2.5.2.1: the answer must come from where the probe went.
  Pair* const pair = find_pair(from);
  if (!pair) return Fail(Drop::kWrongAddress);
  const std::size_t mtu_before = pair->mtu().confirmed();
  if (!pair->take_answer(now, answer->transaction, answer->sequence)) {
    return Fail(Drop::kUnknownTransaction);
  }
  budget_.note_alive(now, from.address);
  note_far_side_open(now);
  reselect(now);
  if (selected_ && selected_->endpoint == from && pair->mtu().confirmed() != mtu_before) {
    raise(MtuChanged{*selected_, pair->mtu().confirmed()});
  }
  return {};
}

void Agent::handle_timeout(Instant now) {
  now_ = now;
  if (timers_.take_expired(Timer::kCall, now)) call(now);
  if (timers_.take_expired(Timer::kEnd, now)) end_introduction(now);
  if (timers_.take_expired(Timer::kRetry, now) && now < wanted_until_) start_introduction(now);
  bool died = false;
  for (Pair& pair : pairs_) died = service_pair(now, pair) || died;
  if (died) leave_dead_path(now);
  for (RelayPath& relay : relays_) service_relay(now, relay);
  if (timers_.take_expired(Timer::kIdle, now)) {
    asleep_ = true;
    for (Pair& pair : pairs_) pair.forget(now);
  }
  reselect(now);
}

bool Agent::service_pair(Instant now, Pair& pair) {
  const auto due = pair.take_due(now, use_of(pair));
  if (!due) return false;
  if (due->action == Pair::Action::kProbe) send_probe(now, pair, due->mtu_bytes);
  return due->action == Pair::Action::kDied;
}

// Onto what still works, at once; the peer is told, since what it sends here may be lost too. And
// the dead path may have moved: ask for the peer's addresses again.
void Agent::leave_dead_path(Instant now) {
  raise(PathLost{*selected_, Reason::kPathDied});
  reselect(now);
  if (selected_ && selected_->path == kSocket) return;  // a spare one works
  RelayPath* const relay = selected_ ? find_relay(selected_->path) : nullptr;
  if (relay) relay->nominate();
  failures_ = 0;
  start_introduction(now);
}

void Agent::service_relay(Instant now, RelayPath& relay) {
  relay.take_silence(now);
  const RelayPath::Use use = use_of(relay);
  const auto size = use.selected && use.in_use ? relay.mtu().take_due(now, relay.rtt()) : std::nullopt;
  if (!size && !relay.probe_is_due(now, use)) return;
  Probe probe{.transaction = relay.transaction(), .nominate = relay.is_nominating()};
  probe.padding = probe_padding(relay.relay().overhead_bytes, size.value_or(0));
  probe.sequence = relay.note_probe(now, size.value_or(0));
  outgoing_.push({.path = relay.relay().path, .to = relay.relay().endpoint, .body = probe});
}

// A probe that the budget refuses is lost like any other: the pair goes on with its schedule.
void Agent::send_probe(Instant now, Pair& pair, std::size_t mtu_bytes, std::uint8_t ttl) {
  const bool allowed = spend(now, pair);
  Probe probe{.transaction = pair.transaction(),
              .padding = probe_padding(overhead_to(pair.remote()), mtu_bytes)};
  if (ttl == 0) {
    probe.sequence = pair.note_probe(now, mtu_bytes);
  } else {
    probe.sequence = pair.note_primed(now);
  }
  if (!allowed) return;
  outgoing_.push({.path = kSocket, .to = pair.remote(), .ttl = ttl, .body = probe});
}

std::size_t Agent::overhead_to(const Endpoint& to) const {
  return to.address.is_v4() ? config_.overhead_v4_bytes : config_.overhead_v6_bytes;
}

std::size_t Agent::probe_padding(std::size_t overhead_bytes, std::size_t mtu_bytes) {
  if (mtu_bytes == 0) return kSmallPadding;
  return inner_bytes(mtu_bytes, overhead_bytes) - kFrameHeaderBytes - Probe::kFixedBytes;
}

std::optional<Transmit> Agent::poll_transmit(Instant now, Bytes slot) {
  now_ = now;
  return outgoing_.poll(slot);
}

std::optional<Agent::Event> Agent::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event out = events_.front();
  events_.pop_front();
  return out;
}

std::optional<Instant> Agent::next_timeout() const {
  auto out = timers_.next();
  for (const Pair& pair : pairs_) out = earlier(out, pair.next_timeout(use_of(pair)));
  for (const RelayPath& relay : relays_) out = earlier(out, relay.next_timeout(use_of(relay)));
  return out;
}

Pair* Agent::find_pair(const Endpoint& remote) {
  const auto it = std::ranges::find(pairs_, remote, &Pair::remote);
  return it == pairs_.end() ? nullptr : &*it;
}
const Pair* Agent::find_pair(const Endpoint& remote) const {
  const auto it = std::ranges::find(pairs_, remote, &Pair::remote);
  return it == pairs_.end() ? nullptr : &*it;
}

RelayPath* Agent::find_relay(PathId path) {
  for (RelayPath& relay : relays_) {
    if (relay.relay().path == path) return &relay;
  }
  return nullptr;
}

// At the limit a pair that failed, or waits, makes room.
Pair* Agent::add_pair(Instant now, const Candidate& candidate) {
  if (!filter_.acceptable(candidate.endpoint)) return nullptr;
  if (pairs_.size() >= kPairsMax) {
    const auto useless = std::ranges::find_if(pairs_, [&](const Pair& pair) {
      const bool selected = selected_ && selected_->endpoint == pair.remote();
      return !selected &&
             (pair.state() == PairState::kFailed || pair.state() == PairState::kWaiting);
    });
    if (useless == pairs_.end()) return nullptr;
    pairs_.erase(useless);
  }
  const PathKind kind = direct_kind(candidate.kind, candidate.endpoint, filter_);
  pairs_.emplace_back(now, Pair::Options{.remote = candidate.endpoint,
                                         .kind = candidate.kind,
                                         .path_kind = kind,
                                         .mtu_bytes = config_.mtu_bytes,
                                         .transaction = rng_.u64()});
  return &pairs_.back();
}

bool Agent::in_use() const { return used_at_ && now_ - *used_at_ < kInUseFor; }

Pair::Use Agent::use_of(const Pair& pair) const {
  const bool selected =
      selected_ && selected_->path == kSocket && selected_->endpoint == pair.remote();
  return {.selected = selected,
          .in_use = in_use(),
          .heartbeat = config_.heartbeat,
          .keepalive = config_.keepalive};
}

RelayPath::Use Agent::use_of(const RelayPath& relay) const {
  const bool direct = selected_ && selected_->path == kSocket;
  const bool selected = selected_ && selected_->path == relay.relay().path;
  return {.selected = selected, .in_use = in_use() && !direct};
}

void Agent::raise(Event event) {
  if (events_.size() == kEventsMax) events_.pop_front();
  events_.push_back(std::move(event));
}

}  // namespace ginnel::path
