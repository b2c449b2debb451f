// Which of the working paths carries the data, and why it is not a better one.
#include <algorithm>

#include "proto/path/agent.h"

namespace ginnel::path {
namespace {

// At most one switch between direct paths in 10 s under +-20 % noise. Two paths
// that are equal can look 1.2 / 0.8 apart in single samples; smoothed ones far less than this.
constexpr Nanoseconds kSwitchEvery = 10s;
constexpr double kMuchBetter = 0.7;
constexpr Nanoseconds kMuchBetterLeast = 2ms;
// IPv6 first when the difference is small.
constexpr Nanoseconds kIpv6Bonus = 2ms;
// A spare path that spoke this long ago may be fallen back to without asking it again.
constexpr Nanoseconds kFreshFor = 15s;

int rank(const Pair& pair) { return pair.path_kind() == PathKind::kLan ? 0 : 1; }

Nanoseconds cost(const Pair& pair) {
  const bool v4 = pair.remote().address.is_v4();
  return pair.rtt().value_or(1s) + (v4 ? kIpv6Bonus : 0ns);
}

bool is_much_better(Nanoseconds challenger, Nanoseconds current) {
  return static_cast<double>(challenger.count()) <
             kMuchBetter * static_cast<double>(current.count()) &&
         current - challenger >= kMuchBetterLeast;
}

}  // namespace

std::string_view attempt_result_name(AttemptResult result) {
  switch (result) {
    case AttemptResult::kSelected:
      return "selected";
    case AttemptResult::kProven:
      return "proven";
    case AttemptResult::kProbing:
      return "probing";
    case AttemptResult::kNoAnswer:
      return "no answer";
    case AttemptResult::kDied:
      return "died";
    case AttemptResult::kWaiting:
      break;
  }
  return "waiting";
}

const Pair* Agent::best_pair(Instant now) const {
  const Pair* best = nullptr;
  for (const Pair& pair : pairs_) {
    if (!pair.is_proven() || !pair.received() || now - *pair.received() > kFreshFor) continue;
    const bool better = !best || rank(pair) < rank(*best) ||
                        (rank(pair) == rank(*best) && cost(pair) < cost(*best));
    if (better) best = &pair;
  }
  return best;
}

// The first that speaks, as the node ordered them; the one in use stays while it speaks, unless
// another is much nearer.
const RelayPath* Agent::best_relay() const {
  const RelayPath* best = nullptr;
  const RelayPath* current = nullptr;
  for (const RelayPath& relay : relays_) {
    if (selected_ && selected_->path == relay.relay().path) current = &relay;
    if (relay.is_silent()) continue;
    if (!best || (relay.rtt() && best->rtt() && is_much_better(*relay.rtt(), *best->rtt()))) {
      best = &relay;
    }
  }
  if (!best) return current ? current : (relays_.empty() ? nullptr : &relays_.front());
  if (!current || current->is_silent() || current == best) return best;
  const bool nearer =
      current->rtt() && best->rtt() && is_much_better(*best->rtt(), *current->rtt());
  return nearer ? best : current;
}

bool Agent::is_better(Instant now, const Pair& challenger, const Pair& current) const {
  if (rank(challenger) != rank(current)) return rank(challenger) < rank(current);
  return now - switched_at_ >= kSwitchEvery && is_much_better(cost(challenger), cost(current));
}

void Agent::reselect(Instant now) {
  const bool on_direct = selected_ && selected_->path == kSocket;
  const Pair* const current = on_direct ? find_pair(selected_->endpoint) : nullptr;
  const Pair* const best = best_pair(now);
  if (current && current->is_proven()) {
    const bool move = best && best != current && is_better(now, *best, *current);
    const Pair& chosen = move ? *best : *current;
    select(now, Selected{kSocket, chosen.remote(), chosen.path_kind()});
    return;
  }
  if (best) {
    select(now, Selected{kSocket, best->remote(), best->path_kind()});
    return;
  }
  if (const RelayPath* const relay = best_relay()) {
    select(now, Selected{relay->relay().path, relay->relay().endpoint, relay->path_kind()});
    return;
  }
  // Used because there is nothing else: until it fails.
  const bool provisional = current && current->state() == PairState::kProbing;
  if (!provisional) select(now, std::nullopt);
}

void Agent::select(Instant now, const std::optional<Selected>& next) {
  if (next != selected_) {
    const std::optional<Selected> was = selected_;
    selected_ = next;
    if (next && next->path == kSocket) {
      switched_at_ = now;
      if (!timers_.is_set(Timer::kIdle)) timers_.set(Timer::kIdle, now + config_.idle_after);
      if (Pair* const pair = find_pair(next->endpoint); pair->is_proven()) pair->mtu().start(now);
    } else if (next) {
      find_relay(next->path)->mtu().start(now);
    }
    if (next) {
      raise(PathSelected{*next});
    } else if (was) {
      raise(PathLost{*was, Reason::kNoPath});
    }
  }
  refresh_reason();
}

std::optional<Nanoseconds> Agent::rtt() const {
  const Prober* const prober = selected_prober();
  return prober ? prober->rtt() : std::nullopt;
}

std::optional<double> Agent::loss() const {
  const Prober* const prober = selected_prober();
  return prober ? prober->loss() : std::nullopt;
}

const Prober* Agent::selected_prober() const {
  if (!selected_) return nullptr;
  if (selected_->path == kSocket) {
    const Pair* const pair = find_pair(selected_->endpoint);
    return pair ? &pair->prober() : nullptr;
  }
  const RelayPath* const relay = selected_relay();
  return relay ? &relay->prober() : nullptr;
}

const RelayPath* Agent::selected_relay() const {
  if (!selected_ || selected_->path == kSocket) return nullptr;
  for (const RelayPath& relay : relays_) {
    if (relay.relay().path == selected_->path) return &relay;
  }
  return nullptr;
}

const MtuSearch* Agent::selected_mtu() const {
  if (const RelayPath* const relay = selected_relay()) return &relay->mtu();
  const Pair* const pair = selected_ ? find_pair(selected_->endpoint) : nullptr;
  return pair ? &pair->mtu() : nullptr;
}

std::size_t Agent::mtu_bytes() const {
  const MtuSearch* const mtu = selected_mtu();
  return mtu ? mtu->confirmed() : kMtuLeastBytes;
}

std::size_t Agent::inner_mtu_bytes() const {
  const RelayPath* const relay = selected_relay();
  const std::size_t overhead = relay       ? relay->relay().overhead_bytes
                               : selected_ ? overhead_to(selected_->endpoint)
                                           : config_.overhead_v6_bytes;
  return inner_bytes(mtu_bytes(), overhead);
}

bool Agent::mtu_is_settled() const {
  const MtuSearch* const mtu = selected_mtu();
  return mtu && mtu->is_settled();
}

void Agent::refresh_reason() {
  const Reason reason = find_reason();
  if (reason == reason_) return;
  reason_ = reason;
  raise(ReasonChanged{reason});
}

Reason Agent::find_reason() const {
  if (selected_ && selected_->path == kSocket) return Reason::kOk;
  if (!selected_) return Reason::kNoPath;
  if (std::ranges::any_of(pairs_, &Pair::has_died)) return Reason::kPathDied;
  // While it is tried again the last result says more than "probing".
  if (failures_ > 0) return failure_;
  return introduction_.running ? Reason::kProbing : Reason::kIdle;
}

Reason Agent::reason_of_failure() const {
  if (udp_blocked_) return Reason::kUdpBlocked;
  if (!config_.punch) return Reason::kPunchDisabled;
  if (introduction_.called && !introduction_.heard) return Reason::kPeerSilent;
  const bool own = stun::is_symmetric(own_nat_.mapping);
  const bool remote = stun::is_symmetric(remote_nat_.mapping);
  if (own && remote) return Reason::kSymmetricBoth;
  if (own || remote) return Reason::kSymmetricNat;
  if (pairs_.empty()) return Reason::kNoCandidates;
  return introduction_.refused ? Reason::kBudget : Reason::kNoAnswer;
}

Attempt Agent::attempt_of(const Pair& pair) const {
  Attempt out{.path = kSocket,
              .remote = pair.remote(),
              .kind = pair.path_kind(),
              .rtt = pair.rtt(),
              .at = pair.since()};
  for (const Candidate& own : filter_.own()) {
    const bool v4 = own.endpoint.address.is_v4();
    if (v4 != pair.remote().address.is_v4()) continue;
    const bool on_lan = pair.path_kind() == PathKind::kLan;
    if (out.local.port == 0 || (own.kind == CandidateKind::kHost) == on_lan)
      out.local = own.endpoint;
  }
  switch (pair.state()) {
    case PairState::kProven:
      out.result = use_of(pair).selected ? AttemptResult::kSelected : AttemptResult::kProven;
      out.reason = Reason::kOk;
      break;
    case PairState::kProbing:
      out.result = AttemptResult::kProbing;
      break;
    case PairState::kWaiting:
      out.result = AttemptResult::kWaiting;
      out.reason = introduction_.running ? Reason::kProbing : Reason::kIdle;
      break;
    case PairState::kFailed:
      out.result = pair.has_died() ? AttemptResult::kDied : AttemptResult::kNoAnswer;
      out.reason = pair.has_died() ? Reason::kPathDied : failure_;
      break;
    case PairState::kDead:
      out.result = AttemptResult::kDied;
      out.reason = Reason::kPathDied;
      break;
  }
  return out;
}

Attempt Agent::attempt_of(const RelayPath& relay) const {
  const bool selected = use_of(relay).selected;
  Attempt out{.path = relay.relay().path,
              .remote = relay.relay().endpoint,
              .kind = relay.path_kind(),
              .reason = Reason::kOk,
              .rtt = relay.rtt(),
              .at = now_};
  out.result = selected      ? AttemptResult::kSelected
               : relay.rtt() ? AttemptResult::kProven
                             : AttemptResult::kWaiting;
  if (relay.is_silent()) {
    out.result = AttemptResult::kNoAnswer;
    out.reason = Reason::kNoAnswer;
  }
  return out;
}

// In the order of the ladder: lan, direct, punched, relays.
std::vector<Attempt> Agent::attempts() const {
  std::vector<Attempt> out;
  for (const Pair& pair : pairs_) out.push_back(attempt_of(pair));
  std::ranges::stable_sort(out, {}, &Attempt::kind);
  for (const RelayPath& relay : relays_) out.push_back(attempt_of(relay));
  return out;
}

}  // namespace ginnel::path
