// One introduction, as the initiator A and the receiver B live it (docs/design.md section 6):
//
//   1. A primes: packets of low TTL open A's NAT toward B's candidates and die before B's NAT
//      (a full-TTL first packet would spring the Linux conntrack trap there). What needs no opening
//      (public and mapped addresses, our own subnet) is probed at once.
//   2. After kPrimeAhead A calls through the relay, "primed".
//   3. B hears the call: A's NAT is open. B primes, probes A's candidates with full TTL at once,
//   and
//      replies with a call of its own.
//   4. A hears the reply, or a probe of B: B's NAT is open. A probes with full TTL.
//   5. Each side answers probes to wherever they came from and probes that address too
//      (peer-reflexive); an answer to an own probe proves the pair, and the agent moves there.
//
// An A that knows no candidates of B calls "not primed": B primes, replies, and waits for A's
// probe. Both may start at once: each hears the other's call and is B then.
#include <algorithm>

#include "proto/path/agent.h"

namespace ginnel::path {
namespace {

// 50 to 100 ms between priming and the real packets.
constexpr Nanoseconds kPrimeAhead = 50ms;
// A call that nobody reacts to is repeated: relays over UDP lose packets.
constexpr int kCallsMax = 3;
constexpr Nanoseconds kCallAgainAfter = 300ms;
constexpr Nanoseconds kIntroductionLasts = 3s;
// Waits between introductions that failed, while traffic wants one.
constexpr std::array<Nanoseconds, 5> kRetryAfter = {1s, 5s, 15s, 60s, 60s};
// A small sealed probe at IP level: 48 bytes inside, 32 sealed, 28 or 48 of UDP and IP.
constexpr std::size_t kProbeIpBytes = 128;

}  // namespace

void Agent::consider_introduction(Instant now) {
  const bool direct = selected_ && selected_->path == kSocket;
  const bool waiting = timers_.is_set(Timer::kRetry) && failures_ > 0;
  if (direct || introduction_.running || waiting || now >= wanted_until_) return;
  start_introduction(now);
}

void Agent::start_introduction(Instant now) {
  open_introduction(now);
  const bool can_call = config_.punch && best_relay();
  if (can_call) prime_all(now);
  for (Pair& pair : pairs_) {
    if (tries_without_call(pair)) pair.begin_probing(now);
  }
  if (can_call) {
    introduction_.calls_left = kCallsMax;
    timers_.set(Timer::kCall, introduction_.primed ? now + kPrimeAhead : now);
  }
  refresh_reason();
}

// Also for the peer's: its call counts as a try of ours, so that two that fail do not take turns.
void Agent::open_introduction(Instant now) {
  introduction_ = {.running = true};
  timers_.stop(Timer::kRetry);
  timers_.stop(Timer::kCall);
  timers_.set(Timer::kEnd, now + kIntroductionLasts);
  merge_candidates(now);
  for (Pair& pair : pairs_) pair.begin_introduction(now);
}

// What we or the peer can be reached at has changed: that is worth a new try.
void Agent::restate_candidates(Instant now) {
  if (selected_ && selected_->path == kSocket) return;
  failures_ = 0;
  if (introduction_.running && introduction_.called && config_.punch)
    send_call(introduction_.heard);
  timers_.stop(Timer::kRetry);
  consider_introduction(now);
}

// One pair for each candidate that was told. Pairs that nobody lists any more go, unless they work.
void Agent::merge_candidates(Instant now) {
  std::vector<Candidate> all = called_candidates_;
  all.insert(all.end(), table_candidates_.begin(), table_candidates_.end());
  all = filter_.accept(all);
  std::erase_if(pairs_, [&](const Pair& pair) {
    const bool idle = pair.state() == PairState::kWaiting || pair.state() == PairState::kFailed;
    const bool selected = selected_ && selected_->endpoint == pair.remote();
    return idle && !selected && !pair.was_heard() &&
           std::ranges::find(all, pair.remote(), &Candidate::endpoint) == all.end();
  });
  for (const Candidate& candidate : all) {
    if (Pair* const pair = find_pair(candidate.endpoint)) {
      pair->promise(candidate.kind, direct_kind(candidate.kind, candidate.endpoint, filter_));
    } else {
      add_pair(now, candidate);
    }
  }
}

// No NAT of the peer's stands before these, or one that lets everybody in.
bool Agent::tries_without_call(const Pair& pair) const {
  return pair.kind() == CandidateKind::kPublic || pair.kind() == CandidateKind::kMapped ||
         filter_.is_local(pair.remote().address);
}

void Agent::prime_all(Instant now) {
  for (Pair& pair : pairs_) {
    if (pair.state() == PairState::kWaiting && !tries_without_call(pair)) prime(now, pair);
  }
  introduction_.primed = !pairs_.empty();
}

void Agent::prime(Instant now, Pair& pair) {
  if (pair.packets() > 0 || pair.packets_max() < Pair::kPacketsMax) return;
  for (const std::uint8_t ttl : prime_ttls()) send_probe(now, pair, 0, ttl);
}

// TTL 2 dies one hop behind our own NAT. Behind two NATs of our own it takes 3 or 4, which may be
// enough to reach a near peer's NAT and spring the trap: only when 2 alone has failed.
std::vector<std::uint8_t> Agent::prime_ttls() const {
  if (failures_ == 0) return {2};
  if (failures_ == 1) return {2, 3};
  return {2, 3, 4};
}

void Agent::call(Instant now) {
  if (!introduction_.running || !config_.punch) return;
  if (introduction_.reply_due) {
    introduction_.reply_due = false;
    send_call(true);
    return;
  }
  if (introduction_.heard || introduction_.calls_left == 0) return;
  --introduction_.calls_left;
  introduction_.called = true;
  send_call(false);
  const auto rtt = best_relay() ? best_relay()->rtt() : std::nullopt;
  timers_.set(Timer::kCall, now + std::max(kCallAgainAfter, rtt.value_or(0ns) * 2));
}

void Agent::send_call(bool reply) {
  const RelayPath* const relay = best_relay();
  if (!relay) return;
  outgoing_.push({.path = relay->relay().path,
                  .to = relay->relay().endpoint,
                  .body = CallMeMaybe{.transaction = rng_.u64(),
                                      .primed = introduction_.primed,
                                      .reply = reply,
                                      .nat = own_nat_,
                                      .candidates = callable_candidates()}});
}

std::vector<Candidate> Agent::callable_candidates() const {
  std::vector<Candidate> out = filter_.own();
  std::erase_if(out, [](const Candidate& c) { return c.kind == CandidateKind::kPeerReflexive; });
  if (out.size() > kCandidatesMax) out.resize(kCandidatesMax);
  return out;
}

Result<void, Drop> Agent::handle_call_me_maybe(Instant now, ConstBytes body) {
  auto parsed = CallMeMaybe::parse(body);
  if (!parsed) return Fail(parsed.error());
  if (!config_.punch) return Fail(Drop::kDisabled);
  if (std::ranges::find(seen_calls_, parsed->transaction) != seen_calls_.end()) {
    return Fail(Drop::kReplayed);
  }
  seen_calls_[next_seen_call_++ % seen_calls_.size()] = parsed->transaction;
  now_ = now;
  asleep_ = false;
  remote_nat_ = parsed->nat;
  called_candidates_ = filter_.accept(parsed->candidates);
  if (introduction_.running) {
    merge_candidates(now);
  } else {
    open_introduction(now);
  }
  // Who calls is not content with its path: it may have moved. If ours still works that is known
  // within a round trip; if not, this saves most of the time that silence takes to be believed.
  const bool direct = selected_ && selected_->path == kSocket;
  Pair* const current = direct && !parsed->reply ? find_pair(selected_->endpoint) : nullptr;
  if (current) current->doubt(now);
  const bool peer_is_open = parsed->primed || parsed->reply;
  prime_all(now);
  if (peer_is_open) note_far_side_open(now);
  for (Pair& pair : pairs_) {
    if (tries_without_call(pair)) pair.begin_probing(now);
  }
  if (!parsed->reply && peer_is_open) send_call(true);
  if (!parsed->reply && !peer_is_open) {
    introduction_.reply_due = true;
    timers_.set(Timer::kCall, now + kPrimeAhead);
  }
  refresh_reason();
  return {};
}

// Full TTL from now on.
void Agent::note_far_side_open(Instant now) {
  if (!introduction_.running) return;
  introduction_.heard = true;
  for (Pair& pair : pairs_) pair.begin_probing(now);
}

// No hub and no peer can aim us at a victim. Pairs that are proven, or whose address an authenticated
// packet came from, are no strangers; the node's budget counts them all the same.
bool Agent::spend(Instant now, const Pair& pair) {
  const bool known = pair.is_proven() || pair.state() == PairState::kDead || pair.was_heard();
  if (!known) {
    const bool room = introduction_.packets < kIntroductionPacketsMax &&
                      introduction_.bytes + kProbeIpBytes <= kIntroductionBytesMax &&
                      silent_probes_.has_room(now);
    if (!room) {
      introduction_.refused = true;
      return false;
    }
  }
  if (!budget_.allow(now, pair.remote().address)) {
    introduction_.refused = true;
    return false;
  }
  if (known) return true;
  ++introduction_.packets;
  introduction_.bytes += kProbeIpBytes;
  silent_probes_.note(now);
  return true;
}

void Agent::end_introduction(Instant now) {
  introduction_.running = false;
  timers_.stop(Timer::kCall);
  const bool direct = selected_ && selected_->path == kSocket;
  if (direct) {
    failures_ = 0;
  } else {
    timers_.set(Timer::kRetry, now + kRetryAfter[std::min(failures_, kRetryAfter.size() - 1)]);
    ++failures_;
    failure_ = reason_of_failure();
  }
  refresh_reason();
}

}  // namespace ginnel::path
