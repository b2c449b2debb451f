#include "proto/swim/serf/serf.h"

#include "proto/swim/serf/user_state.h"

namespace ginnel::swim::serf {
namespace {

// How long a leave intent may be on its way, by rumor or by push/pull, before somebody speaks for a
// member that left without. From then on each waits for a time of its own, the longer the more
// could: one or two speak.
constexpr Nanoseconds kUnsaidGrace = 2s;
constexpr Nanoseconds kUnsaidSpreadPerMember = 500ms;
constexpr Nanoseconds kUnsaidSpreadMax = 60s;

}  // namespace

Serf::Serf(Swim& swim, Rng rng)
    : swim_(swim), rng_(rng.fork("serf")), coordinates_(rng.fork("coordinates")) {}

void Serf::start(Instant now) {
  swim_.set_ack_payload(to_payload(coordinates_.coordinate()));
  announce_join(now);
  refresh_user_state();
}

void Serf::tell(SerfEvent event) {
  if (events_.size() == kEventsMax) {
    ++dropped_;
    return;
  }
  events_.push_back(std::move(event));
}

std::optional<SerfEvent> Serf::poll_event() {
  if (events_.empty()) return std::nullopt;
  SerfEvent out = std::move(events_.front());
  events_.pop_front();
  return out;
}

// memberlist's rumors are passed on by nobody, so serf does it itself with all that is new to it.
void Serf::pass_on(Instant now, ConstBytes message) {
  if (!swim_.broadcast(now, "", message)) ++dropped_;
}

bool Serf::handle(Instant now, const swim::Event& event) {
  if (const auto* message = std::get_if<UserMessage>(&event)) {
    handle_message(now, message->from, message->bytes);
    return true;
  }
  if (const auto* state = std::get_if<RemoteState>(&event)) return handle_state(now, *state), true;
  if (const auto* ack = std::get_if<AckPayload>(&event)) {
    const auto other = from_payload(ack->bytes);
    if (!other) return ++dropped_, true;
    coordinates_.update(ack->name, *other, ack->round_trip);
    swim_.set_ack_payload(to_payload(coordinates_.coordinate()));
    return true;
  }
  if (const auto* joined = std::get_if<Joined>(&event)) {
    intents_.revived(joined->member.name);
    unsaid_.stop(joined->member.name);
    state_changed_ = true;
  } else if (const auto* reaped = std::get_if<Reaped>(&event)) {
    intents_.forget(reaped->member.name);
    coordinates_.forget(reaped->member.name);
    unsaid_.stop(reaped->member.name);
    state_changed_ = true;
  } else if (std::holds_alternative<JoinDone>(event)) {
    announce_join(now);
  } else if (const auto* left = std::get_if<Left>(&event)) {
    watch_left(now, left->member.name);
    state_changed_ = true;
  } else if (std::holds_alternative<Failed>(event)) {
    state_changed_ = true;
  }
  return false;
}

void Serf::handle_message(Instant now, const Endpoint&, ConstBytes message) {
  const ConstBytes body = message.subspan(1);  // UserMessages are never empty
  const auto with = [&](const auto& parsed, auto&& act) {
    if (parsed) act(*parsed);
    else ++dropped_;
  };
  switch (static_cast<Type>(message[0])) {
    case Type::kJoin:
      return with(JoinIntent::parse(body), [&](const auto& m) { handle_join(now, m, message); });
    case Type::kLeave:
      return with(LeaveIntent::parse(body), [&](const auto& m) { handle_leave(now, m, message); });
    case Type::kUserEvent:
      return with(UserEvent::parse(body), [&](const auto& m) { handle_event(now, m, message); });
    case Type::kQuery:
      return with(Query::parse(body), [&](const auto& m) { handle_query(now, m, message); });
    case Type::kQueryResponse:
      return with(QueryResponse::parse(body), [&](const auto& m) { handle_response(m); });
    case Type::kRelay: return handle_relay(body);
    default: ++dropped_;
  }
}

// ---- intents ----

void Serf::announce_join(Instant now) {
  const JoinIntent intent{intents_.clock().take(), own_name()};
  intents_.apply(intent);
  state_changed_ = true;
  pass_on(now, encode(intent));
}

void Serf::announce_leave(Instant now) {
  leaving_ = true;
  const LeaveIntent intent{intents_.clock().take(), own_name()};
  intents_.apply(intent);
  state_changed_ = true;
  pass_on(now, encode(intent));
}

void Serf::handle_join(Instant now, const JoinIntent& intent, ConstBytes message) {
  if (!intents_.apply(intent)) return;
  state_changed_ = true;
  pass_on(now, message);
}

void Serf::handle_leave(Instant now, const LeaveIntent& intent, ConstBytes message) {
  if (take_leave(now, intent)) pass_on(now, message);
}

// True: new, and others should hear of it.
bool Serf::take_leave(Instant now, const LeaveIntent& intent) {
  if (intent.node == own_name() && !leaving_) {
    intents_.clock().witness(intent.ltime);
    announce_join(now);  // somebody says that we leave, and we do not
    return false;
  }
  if (!intents_.apply(intent)) return false;
  state_changed_ = true;
  const auto member = swim_.member(intent.node);
  if (member && member->state == State::kDead) tell(CalledLeft{std::string(intent.node)});
  if (intent.prune) swim_.forget(intent.node);
  return true;
}

// What a push/pull remembers of a member that is not gone. Our own name's may be of a former life,
// and newer than what we have said since: whoever joined by a member with a clock that is behind
// says it once more, or its leave would be old news to those who remember.
void Serf::take_status(Instant now, const JoinIntent& intent) {
  const bool news = intents_.apply(intent);
  if (news && intent.node == own_name() && !leaving_) announce_join(now);
}

// memberlist's own leave has come, and serf's has not, or was old news to whoever heard it: serf
// would call the member failed, and dial it for a day.
void Serf::watch_left(Instant now, const std::string& name) {
  if (intents_.is_leaving(name) || unsaid_.size() >= kUnsaidMax) return;
  const auto members = static_cast<std::int64_t>(swim_.alive_count());
  const Nanoseconds spread = std::min(kUnsaidSpreadPerMember * members, kUnsaidSpreadMax);
  unsaid_.set(name, now + kUnsaidGrace + rng_.between(0ns, spread));
}

// As `serf force-leave` does for a failed member, with a time that is newer than all we know.
void Serf::say_left(Instant now, const std::string& name) {
  const auto member = swim_.member(name);
  if (!member || member->state != State::kLeft || intents_.is_leaving(name)) return;
  const LeaveIntent intent{intents_.clock().take(), name};
  intents_.apply(intent);
  state_changed_ = true;
  pass_on(now, encode(intent));
}

// ---- events ----

Result<void, Drop> Serf::event(Instant now, std::string_view name, ConstBytes payload,
                               bool coalesce) {
  if (name.size() + payload.size() > kEventBytesMax) return Fail(Drop::kTooLarge);
  const UserEvent event{events_seen_.clock().take(), name, payload, coalesce};
  if (take_event(event)) pass_on(now, encode(event));
  return {};
}

void Serf::handle_event(Instant now, const UserEvent& event, ConstBytes message) {
  if (take_event(event)) pass_on(now, message);
}

bool Serf::take_event(const UserEvent& event) {
  if (!events_seen_.add(event)) return false;
  state_changed_ = true;
  tell(EventArrived{std::string(event.name), to_vector(event.payload), event.ltime});
  return true;
}

// ---- push/pull ----

void Serf::refresh_user_state() {
  if (!std::exchange(state_changed_, false)) return;
  UserState state;
  state.ltime = intents_.clock().time();
  state.event_ltime = events_seen_.clock().time();
  state.query_ltime = queries_seen_.clock().time();
  for (const auto& [name, status] : intents_.all()) {
    state.status_ltimes.emplace_back(name, status.ltime);
  }
  for (const MemberInfo& member : swim_.members()) {
    const bool gone = member.state == State::kDead || member.state == State::kLeft;
    if (gone && intents_.is_leaving(member.name)) state.left_members.push_back(member.name);
  }
  for (const auto& [index, slot] : events_seen_.slots()) state.events.push_back(slot);
  swim_.set_user_state(encode(state));
}

// delegate.go MergeRemoteState: clocks first ("we subtract 1 since no message with that clock has
// been sent yet"), then those that left, then the others.
void Serf::handle_state(Instant now, const RemoteState& remote) {
  const auto state = UserState::parse(remote.bytes);
  if (!state) {
    ++dropped_;
    return;
  }
  if (state->ltime > 0) intents_.clock().witness(state->ltime - 1);
  if (state->event_ltime > 0) events_seen_.clock().witness(state->event_ltime - 1);
  if (state->query_ltime > 0) queries_seen_.clock().witness(state->query_ltime - 1);
  state_changed_ = true;
  const std::set<std::string_view> left(state->left_members.begin(), state->left_members.end());
  for (const auto& [name, ltime] : state->status_ltimes) {
    if (left.contains(name)) take_leave(now, {ltime, name});
  }
  for (const auto& [name, ltime] : state->status_ltimes) {
    if (!left.contains(name)) take_status(now, {ltime, name});
  }
  // As `serf agent` without -replay: what happened before we came is not told.
  if (remote.join && !std::exchange(joined_, true)) events_seen_.set_min_time(state->event_ltime);
  for (const EventBuffer::Slot& slot : state->events) {
    for (const SeenEvent& event : slot.events) {
      take_event({slot.ltime, event.name, event.payload, true});
    }
  }
}

void Serf::handle_timeout(Instant now) {
  while (const auto key = deadlines_.take_expired(now)) {
    const QueryNumber number = running_.at(*key).number;
    running_.erase(*key);
    tell(QueryDone{number});
  }
  while (const auto name = unsaid_.take_expired(now)) say_left(now, *name);
}

}  // namespace ginnel::swim::serf
