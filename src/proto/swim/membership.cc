#include "proto/swim/membership.h"

#include "base/assert.h"
#include "proto/swim/scaling.h"

namespace ginnel::swim {

Membership::Membership(const Config& config, Rng rng, EventQueue& events)
    : config_(config),
      events_(events),
      table_(std::move(rng)),
      awareness_(config.awareness_max_multiplier) {}

void Membership::start(Instant now) {
  GINNEL_ASSERT(self_ == nullptr);
  self_ = &table_.insert(config_.name);
  self_->incarnation = Incarnation(1);
  self_->state = State::kAlive;
  self_->since = now;
  self_->endpoint = config_.advertise;
  self_->meta = config_.meta;
  self_->vsn = config_.vsn;
  broadcast(self_alive());
}

Alive Membership::self_alive() const {
  return {self_->incarnation, self_->name, self_->endpoint, self_->meta, self_->vsn};
}

void Membership::announce_self(Instant now) {
  leaving_ = false;
  self_->incarnation = Incarnation(std::max(self_->incarnation, accused_).value() + 1);
  self_->endpoint = config_.advertise;
  self_->meta = config_.meta;
  self_->vsn = config_.vsn;
  if (self_->state != State::kAlive) self_->since = now;
  self_->state = State::kAlive;
  broadcast(self_alive());
}

std::optional<Drop> Membership::refusal(const Alive& alive) const {
  if (alive.node.empty()) return Drop::kMalformed;
  if (alive.vsn != kNoVsn && !alive.vsn.is_sane()) return Drop::kBadVersion;
  if (alive.endpoint.address.is_unspecified()) return Drop::kBadAddress;
  const auto holds = [&](const Prefix& p) { return p.contains(alive.endpoint.address); };
  if (!config_.cidrs_allowed.empty() && std::ranges::none_of(config_.cidrs_allowed, holds)) {
    return Drop::kBadAddress;
  }
  return std::nullopt;
}

// Whether a known name may stand for another address now.
Membership::Address Membership::judge_address(Instant now, const Member& member,
                                              const Alive& alive,
                                              const AliveOptions& options) const {
  if (member.endpoint == alive.endpoint) return Address::kSame;
  if (is_self(member)) return Address::kConflict;
  if (options.move_proved || member.state == State::kLeft) return Address::kTakeover;
  const Nanoseconds reclaim = config_.dead_node_reclaim_time;
  const bool dead_long = reclaim > 0ns && now - member.since > reclaim;
  if (member.state == State::kDead) return dead_long ? Address::kTakeover : Address::kConflict;
  // Deviation: memberlist drops it. A member that moved says so with a higher incarnation, which
  // an impostor does too; so the old address is asked first.
  if (alive.incarnation > member.incarnation) return Address::kDisputed;
  return Address::kConflict;
}

void Membership::report_conflict(const Member& member, const Alive& alive) {
  events_.push_back(Conflict{member.info(), alive.endpoint});
}

Membership::Outcome Membership::apply(Instant now, const Alive& alive, AliveOptions options) {
  Member* member = table_.find(alive.node);
  // A late alive of ours must not bring us back after we said that we leave.
  if (leaving_ && member == self_) return Outcome::kDropped;
  if (const auto drop = refusal(alive)) return count(*drop), Outcome::kDropped;
  if (member == nullptr) {
    if (table_.size() >= config_.members_max) return count(Drop::kTableFull), Outcome::kDropped;
    member = &table_.insert(alive.node);
    member->endpoint = alive.endpoint;
  }
  const Address address = judge_address(now, *member, alive, options);
  if (address == Address::kDisputed) return Outcome::kDisputed;
  if (address == Address::kConflict) return report_conflict(*member, alive), Outcome::kDropped;
  // memberlist forgets a member some time after its death and then takes it back at any
  // incarnation; a retired one stands for a forgotten one.
  const bool anew = address == Address::kTakeover || member->retired;
  if (!is_self(*member)) {
    if (!anew && alive.incarnation <= member->incarnation) return Outcome::kDropped;
    take_alive(now, *member, alive);
    return Outcome::kTaken;
  }
  if (alive.incarnation < self_->incarnation) return Outcome::kDropped;
  const bool same = alive.incarnation == self_->incarnation && equal(alive.meta, self_->meta) &&
                    alive.vsn == self_->vsn;
  if (!same) refute(alive.incarnation, "");
  return Outcome::kTaken;
}

void Membership::take_alive(Instant now, Member& member, const Alive& alive) {
  const bool changed = !equal(member.meta, alive.meta) || member.endpoint != alive.endpoint;
  broadcast(alive);
  table_.revive(member);
  member.incarnation = alive.incarnation;
  member.endpoint = alive.endpoint;
  member.meta = to_vector(alive.meta);
  member.vsn = alive.vsn;
  const State before = member.state;
  become_alive(now, member);
  if (before == State::kDead || before == State::kLeft) {
    events_.push_back(Joined{member.info()});
    return;
  }
  if (before == State::kSuspect) events_.push_back(Cleared{member.info()});
  if (changed) events_.push_back(Updated{member.info()});
}

void Membership::become_alive(Instant now, Member& member) {
  suspicions_.stop(member.name);
  member.suspicion.reset();
  member.accusers.clear();
  member.reason = Reason::kNone;
  member.contact_failures = 0;
  if (member.state == State::kAlive) return;
  member.state = State::kAlive;
  member.since = now;
}

// memberlist suspectNode: with few others there is nobody whose confirmation could be awaited.
SuspicionOptions Membership::suspicion_options() const {
  const std::size_t n = table_.active_count();
  std::size_t k = config_.suspicion_mult > 2 ? config_.suspicion_mult - 2 : 0;
  if (n < 2 || n - 2 < k) k = 0;
  const Nanoseconds min = suspicion_timeout(config_.suspicion_mult, n, config_.probe_interval);
  return {.confirmations = k, .min = min, .max = min * config_.suspicion_max_timeout_mult};
}

void Membership::become_suspect(Instant now, Member& member, std::string_view from, Reason reason) {
  member.state = State::kSuspect;
  member.since = now;
  member.reason = reason;
  member.suspicion = std::make_unique<Suspicion>(now, suspicion_options(), from);
  suspicions_.set(member.name, member.suspicion->deadline());
  events_.push_back(Suspected{member.info(), std::string(from)});
}

void Membership::confirm(Member& member, const Suspect& suspect) {
  if (!member.suspicion->confirm(suspect.from)) return;
  suspicions_.set(member.name, member.suspicion->deadline());
  broadcast(suspect);
}

void Membership::apply(Instant now, const Suspect& suspect, Reason reason) {
  Member* member = table_.find(suspect.node);
  if (member == nullptr) return count(Drop::kUnknownMember);
  if (suspect.incarnation < member->incarnation) return;
  if (member->suspicion) return confirm(*member, suspect);
  if (member->state != State::kAlive) return;
  if (member == self_) return refute(suspect.incarnation, suspect.from);
  broadcast(suspect);
  member->incarnation = suspect.incarnation;
  become_suspect(now, *member, suspect.from, reason);
}

void Membership::accuse(Instant now, Member& member) {
  apply(now, Suspect{member.incarnation, member.name, self_->name}, Reason::kOurProbeFailed);
}

void Membership::become_gone(Instant now, Member& member, State state) {
  suspicions_.stop(member.name);
  if (member.suspicion) member.accusers = member.suspicion->accusers();
  member.suspicion.reset();
  member.state = state;
  member.since = now;
  member.next_contact = now + config_.reconnect_interval;
}

void Membership::apply(Instant now, const Dead& dead) {
  Member* member = table_.find(dead.node);
  if (member == nullptr) return count(Drop::kUnknownMember);
  if (dead.incarnation < member->incarnation || member->is_gone()) return;
  if (member == self_ && !leaving_) return refute(dead.incarnation, dead.from);
  broadcast(dead);
  member->incarnation = dead.incarnation;
  become_gone(now, *member, dead.is_leave() ? State::kLeft : State::kDead);
  if (member == self_) return;
  if (dead.is_leave()) events_.push_back(Left{member->info()});
  else events_.push_back(Failed{member->info(), std::string(dead.from)});
}

Membership::Outcome Membership::apply(Instant now, const NodeState& state) {
  switch (state.state) {
    case State::kAlive:
      return apply(now, Alive{state.incarnation, state.name, state.endpoint, state.meta,
                              state.vsn});
    case State::kLeft: apply(now, Dead{state.incarnation, state.name, state.name}); break;
    case State::kDead:
    case State::kSuspect:
      apply(now, Suspect{state.incarnation, state.name, self_->name}, Reason::kPushPull);
      break;
  }
  return Outcome::kTaken;
}

void Membership::refute(Incarnation accused, std::string_view by) {
  if (silent_) {
    accused_ = std::max(accused_, accused);
    return;
  }
  const std::uint32_t next = std::max(self_->incarnation.value(), accused.value()) + 1;
  self_->incarnation = Incarnation(next);
  awareness_.apply(+1);
  broadcast(self_alive());
  events_.push_back(Refuted{self_->incarnation, std::string(by)});
}

void Membership::leave(Instant now) {
  leaving_ = true;
  apply(now, Dead{self_->incarnation, self_->name, self_->name});
}

void Membership::handle_timeout(Instant now) {
  while (const auto name = suspicions_.take_expired(now)) {
    const Member* member = table_.find(*name);
    GINNEL_ASSERT(member != nullptr);
    apply(now, Dead{member->incarnation, *name, self_->name});
  }
}

void Membership::start_round(Instant now) {
  std::vector<Member*> old;
  for (Member* member : table_.order()) {
    const bool long_gone = now - member->since > config_.gossip_to_the_dead_time;
    if (member->is_gone() && long_gone && member != self_) old.push_back(member);
  }
  for (Member* member : old) table_.retire(*member);
  old.clear();
  for (const auto& [name, member] : table_.all()) {
    if (member->retired && now - member->since > config_.dead_kept_time) old.push_back(member.get());
  }
  for (Member* member : old) forget(*member);
  table_.shuffle();
}

bool Membership::forget(std::string_view name) {
  Member* member = table_.find(name);
  if (member == nullptr || !member->is_gone() || is_self(*member)) return false;
  forget(*member);
  return true;
}

void Membership::forget(Member& member) {
  events_.push_back(Reaped{member.info()});
  table_.erase(member);
}

std::size_t Membership::alive_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      table_.order(), [](const Member* m) { return m->state == State::kAlive; }));
}

}  // namespace ginnel::swim
