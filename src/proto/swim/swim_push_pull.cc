// The exchange of all state over a stream: at a join, now and then with a random member, and with
// members that died, so that a partition heals.
#include "proto/swim/limits.h"
#include "proto/swim/scaling.h"
#include "proto/swim/swim.h"

namespace ginnel::swim {

void Swim::join(Instant now, const Endpoint& to) {
  if (members_.has_left()) {
    timers_.stop(Timer::kLeave);
    members_.announce_self(now);
  }
  push_pull_with(now, to, {.join = true});
  arm_gossip(now);
}

void Swim::arm_push_pull(Instant now) {
  const std::size_t n = members_.table().active_count();
  timers_.set(Timer::kPushPull, now + push_pull_scaled(config_.push_pull_interval, n));
}

void Swim::start_push_pull(Instant now) {
  arm_push_pull(now);
  const auto target = members_.table().random(1, [&](const Member& m) {
    return !members_.is_self(m) && m.state == State::kAlive && reaches(m);
  });
  if (!target.empty()) push_pull_with(now, target[0]->endpoint, {});
}

std::optional<std::string> Swim::exchange_partner() {
  const auto target = members_.table().random(1, [&](const Member& m) {
    return !members_.is_self(m) && m.state == State::kAlive && reaches(m);
  });
  return target.empty() ? std::nullopt : std::optional(target[0]->name);
}

// Ours (serf has it, memberlist has not): a dead member is dialled again, so a partition heals by
// itself. Each member does it with the probability dead / alive, so that the whole cluster makes
// about one attempt per dead member and interval, whatever its size.
void Swim::reconnect(Instant now) {
  const Nanoseconds interval = config_.reconnect_interval;
  timers_.set(Timer::kReconnect, now + rng_.between(interval * 3 / 4, interval * 5 / 4));
  std::vector<Member*> due;
  std::size_t dead = 0;
  for (const auto& [name, member] : members_.table().all()) {
    if (member->state != State::kDead || !reaches(*member)) continue;
    ++dead;
    if (member->next_contact <= now) due.push_back(member.get());
  }
  if (due.empty() || members_.has_left()) return;
  const auto alive = std::ranges::count_if(members_.table().order(), [&](const Member* m) {
    return m->state == State::kAlive && reaches(*m);
  });
  const double attempts = static_cast<double>(dead) / std::max(static_cast<double>(alive), 1.0);
  if (!rng_.chance(attempts)) return;
  Member& target = *due[rng_.below(due.size())];
  const int doublings = std::min<int>(++target.contact_failures, 20);
  target.next_contact = now + std::min(interval * (1 << doublings), config_.reconnect_wait_max);
  push_pull_with(now, target.endpoint, {.join = false, .reconnect = target.name});
}

void Swim::push_pull_with(Instant now, const Endpoint& to, PushPull purpose) {
  const bool join = purpose.join;
  const auto stream = open_stream(now, to, own_state(join), std::move(purpose), 1);
  if (!stream && join) events_.push_back(JoinFailed{to, JoinError::kBusy, "too many streams"});
}

// Retired members stay out: memberlist would have forgotten them.
// Without heartbeats we say nothing of ourselves: after a while it would count as a new life.
ByteVector Swim::own_state(bool join) const {
  ByteVector out;
  const auto& order = members_.table().order();
  const bool silent = members_.is_silent();
  write(PushPullHeader{join, order.size() - (silent ? 1 : 0), user_state_.size()}, out);
  for (const Member* m : order) {
    if (silent && members_.is_self(*m)) continue;
    write(NodeState{m->name, m->endpoint, m->meta, m->incarnation, m->state, m->vsn}, out);
  }
  out.insert(out.end(), user_state_.begin(), user_state_.end());
  return out;
}

// memberlist verifyProtocol: all that we know and all that the other knows must fit together.
Result<void, std::string> Swim::check_remote(const PushPullReader& remote) const {
  std::vector<VersionRow> rows;
  PushPullReader reader = remote;
  while (const auto node = reader.next()) {
    rows.push_back({node->name, node->vsn, node->state == State::kAlive});
  }
  for (const Member* m : members_.table().order()) {
    rows.push_back({m->name, m->vsn, m->state == State::kAlive});
  }
  return check_versions(rows);
}

void Swim::handle_remote_state(Instant now, const PushPullReader& remote, ConstBytes body,
                               const RemoteOf& of) {
  if (of.we_join) {
    // Our request had the old numbers, so the other has refused it: once more with the new ones.
    const Vsn before = config_.vsn;
    meet(now, remote, Met::kByOurJoin);
    if (config_.vsn != before) return push_pull_with(now, of.peer, {.join = true});
    if (auto holder = holder_of_our_name(now, remote)) {
      events_.push_back(NameTaken{*std::move(holder), of.peer});
      return;
    }
  }
  if (const auto fits = check_remote(remote); !fits) {
    return refuse_merge(of, JoinError::kVersions, fits.error() + "; ours: " + ranges_of(config_.vsn));
  }
  if (!config_.ask_merge || !remote.header().join) {
    merge(now, remote);
    if (of.we_join) events_.push_back(JoinDone{of.peer});
    return;
  }
  if (asked_merge_.size() == kAsksMax) return count(Drop::kQueueFull);
  const AskId id(++asks_made_);
  AskMerge ask{.id = id};
  PushPullReader reader = remote;
  while (const auto node = reader.next()) {
    ask.members.push_back({.name = std::string(node->name), .endpoint = node->endpoint,
                           .state = node->state, .incarnation = node->incarnation,
                           .meta = to_vector(node->meta), .vsn = node->vsn, .since = now});
  }
  asked_merge_.emplace(id, AskedMerge{to_vector(body), of});
  events_.push_back(std::move(ask));
}

void Swim::answer_merge(Instant now, AskId id, bool accept) {
  const auto it = asked_merge_.find(id);
  if (it == asked_merge_.end()) return;
  const AskedMerge asked = std::move(it->second);
  asked_merge_.erase(it);
  if (!accept) return refuse_merge(asked.of, JoinError::kVetoed, "refused by the application");
  merge(now, *PushPullReader::parse(asked.body));
  if (asked.of.we_join) events_.push_back(JoinDone{asked.of.peer});
  arm_gossip(now);
}

// Whoever has met nobody takes the numbers of the first live member that it meets. One that has
// numbers of an application already keeps them for a second toward a joiner that has none: that may
// be one of ours, which takes what it finds in the answer.
void Swim::meet(Instant now, const PushPullReader& remote, Met how) {
  constexpr Nanoseconds kPatience = 1s;
  PushPullReader reader = remote;
  while (const auto node = reader.next()) {
    if (!adopting_ || node->state != State::kAlive || node->vsn == kNoVsn) continue;
    if (node->name == config_.name) continue;
    if (how == Met::kByOurJoin || config_.vsn.d_max == 0 || node->vsn.d_max != 0) {
      return adopt_versions(now, node->vsn);
    }
    to_adopt_ = node->vsn;
    timers_.set(Timer::kAdopt, now + kPatience);
    return;
  }
}

void Swim::adopt_versions(Instant now, const Vsn& theirs) {
  adopting_ = false;
  Vsn vsn = config_.vsn;
  vsn.d_min = theirs.d_min;
  vsn.d_max = theirs.d_max;
  vsn.d_cur = theirs.d_cur;
  if (vsn == config_.vsn) return;
  set_versions(now, vsn);
  events_.push_back(VersionsAdopted{vsn});
}

std::optional<MemberInfo> Swim::holder_of_our_name(Instant now,
                                                   const PushPullReader& remote) const {
  PushPullReader reader = remote;
  while (const auto node = reader.next()) {
    const bool here = node->state == State::kAlive || node->state == State::kSuspect;
    if (!here || node->name != config_.name || node->endpoint == config_.advertise) continue;
    return MemberInfo{.name = std::string(node->name), .endpoint = node->endpoint,
                      .state = node->state, .incarnation = node->incarnation,
                      .meta = to_vector(node->meta), .vsn = node->vsn, .since = now};
  }
  return std::nullopt;
}

void Swim::refuse_merge(const RemoteOf& of, JoinError error, std::string why) {
  if (of.we_join) events_.push_back(JoinFailed{of.peer, error, std::move(why)});
  else events_.push_back(MergeRefused{of.peer, std::move(why)});
}

void Swim::merge(Instant now, PushPullReader remote) {
  const bool join = remote.header().join;
  if (remote.header().nodes > 0) adopting_ = false;
  const ConstBytes user_state = remote.user_state();
  while (const auto node = remote.next()) {
    if (!admits(node->name, node->endpoint)) {
      count(Drop::kNotAdmitted);
    } else if (node->state == State::kAlive) {
      handle_alive(now, {node->incarnation, node->name, node->endpoint, node->meta, node->vsn});
    } else {
      members_.apply(now, *node);
    }
  }
  if (!user_state.empty()) events_.push_back(RemoteState{to_vector(user_state), join});
}

}  // namespace ginnel::swim
