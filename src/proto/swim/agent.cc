#include "proto/swim/agent.h"

namespace ginnel::swim {
namespace {

// What Debian's serf 0.9.4 announces (serf.go, ProtocolVersionMin, Max).
constexpr Vsn kSerfVsn{1, 5, 2, 2, 5, 5};
constexpr std::uint8_t kSerfDelegateMin = 2;

// serf calls a member that goes without its intent failed, so the intent has to be everywhere first
// (serf.go, LeavePropagateDelay).
constexpr Nanoseconds kLeaveSpreadTime = 1s;
constexpr Nanoseconds kLeaveTimeout = 5s;  // of the whole

App first_app(const AgentConfig& config) {
  return config.app.value_or(config.tags.empty() ? App::kNone : App::kSerf);
}

}  // namespace

Config Agent::swim_config(AgentConfig config) {
  const App app = first_app(config);
  Config out = std::move(config.swim);
  if (app == App::kSerf) out.vsn = kSerfVsn;
  out.adopt_versions = !config.app;
  return out;
}

Agent::Agent(AgentConfig config, Rng rng)
    : app_(first_app(config)),
      tags_(config.tags),
      meta_(config.meta),
      swim_(
          [&] {
            Config swim = swim_config(config);
            swim.meta = own_meta();
            return swim;
          }(),
          rng.fork("swim")),
      serf_(swim_, rng.fork("serf")) {}

ByteVector Agent::own_meta() const {
  if (meta_) return *meta_;
  if (tags_.empty() && app_ == App::kNone) return {};
  return serf::encode_tags(tags_);
}

void Agent::start(Instant now) {
  swim_.start(now);
  if (app_ == App::kSerf) serf_.start(now);
  settle(now);
}

void Agent::join(Instant now, const Endpoint& to) {
  if (app_ == App::kSerf) serf_.refresh_user_state();
  swim_.join(now, to);
  settle(now);
}

void Agent::leave(Instant now) {
  if (std::exchange(leaving_, true)) return;
  if (app_ == App::kSerf && swim_.alive_count() > 1) {
    serf_.announce_leave(now);
    timers_.set(Timer::kLeaveSpread, now + kLeaveSpreadTime);
  } else {
    swim_.leave(now, kLeaveTimeout);
  }
  settle(now);
}

Result<void, Drop> Agent::set_tags(Instant now, serf::Tags tags) {
  const auto set = swim_.set_meta(now, serf::encode_tags(tags));
  if (!set) return set;
  tags_ = std::move(tags);
  meta_.reset();
  settle(now);
  return {};
}

// ---- what the application sends ----

Result<void, Drop> Agent::broadcast(Instant now, ConstBytes message) {
  return swim_.broadcast(now, "", message);
}

Result<void, Drop> Agent::send_best_effort(Instant, std::string_view name, ConstBytes message) {
  return swim_.send_best_effort(name, message);
}

Result<StreamId, Drop> Agent::send_reliable(Instant now, std::string_view name,
                                            ConstBytes message) {
  auto out = swim_.send_reliable(now, name, message);
  settle(now);
  return out;
}

Result<void, Drop> Agent::event(Instant now, std::string_view name, ConstBytes payload,
                                bool coalesce) {
  auto out = serf_.event(now, name, payload, coalesce);
  settle(now);
  return out;
}

Result<serf::QueryNumber, Drop> Agent::query(Instant now, std::string_view name,
                                             ConstBytes payload,
                                             const serf::QueryOptions& options) {
  auto out = serf_.query(now, name, payload, options);
  settle(now);
  return out;
}

Result<serf::QueryNumber, Drop> Agent::key_query(Instant now, serf::KeyOp op, ConstBytes key) {
  auto out = serf_.key_query(now, op, key);
  settle(now);
  return out;
}

serf::KeyOutcome Agent::change_keys(serf::KeyOp op, ConstBytes key) {
  serf::KeyOutcome out = serf::apply(op, key, swim_.framer().keys());
  if (out.changed) events_.emplace_back(serf::KeyChanged{op, fingerprint_of(key)});
  return out;
}

// ---- what comes in ----

void Agent::handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes datagram) {
  swim_.handle_datagram(now, path, from, datagram);
  settle(now);
}

void Agent::handle_timeout(Instant now) {
  if (app_ == App::kSerf) serf_.refresh_user_state();
  if (timers_.take_expired(Timer::kLeaveSpread, now)) {
    swim_.leave(now, kLeaveTimeout - kLeaveSpreadTime);
  }
  swim_.handle_timeout(now);
  serf_.handle_timeout(now);
  settle(now);
}

std::optional<StreamId> Agent::accept_stream(Instant now, const Endpoint& from) {
  return swim_.accept_stream(now, from);
}

void Agent::handle_stream_data(Instant now, StreamId stream, ConstBytes bytes) {
  if (app_ == App::kSerf) serf_.refresh_user_state();
  swim_.handle_stream_data(now, stream, bytes);
  settle(now);
}

void Agent::handle_stream_closed(Instant now, StreamId stream, StreamEnd end) {
  swim_.handle_stream_closed(now, stream, end);
  settle(now);
}

void Agent::settle(Instant now) {
  while (auto event = swim_.poll_event()) {
    const bool taken = app_ == App::kSerf && serf_.handle(now, *event);
    if (!taken) route(now, *std::move(event));
  }
  while (auto event = serf_.poll_event()) route(*std::move(event));
}

void Agent::route(Instant now, swim::Event event) {
  if (const auto* adopted = std::get_if<VersionsAdopted>(&event)) return adopt(now, adopted->vsn);
  if (std::holds_alternative<LeaveDone>(event)) {
    events_.emplace_back(Gone{});
    return;
  }
  if (auto* failed = std::get_if<Failed>(&event)) {
    MemberInfo shown = as_shown(failed->member);
    if (shown.state == State::kLeft) event = Left{std::move(shown)};
  }
  events_.emplace_back(std::move(event));
}

void Agent::route(serf::SerfEvent event) {
  if (const auto* left = std::get_if<serf::CalledLeft>(&event)) {
    if (auto row = member(left->name)) events_.emplace_back(swim::Event(Left{*std::move(row)}));
    return;
  }
  events_.emplace_back(std::move(event));
}

// The metadata follows the application: serf's members read an empty one as the "role" of old.
void Agent::adopt(Instant now, const Vsn& vsn) {
  const App app = vsn.d_max >= kSerfDelegateMin ? App::kSerf : App::kNone;
  if (app == app_) return;
  app_ = app;
  const ByteVector meta = own_meta();
  if (!equal(meta, swim_.config().meta) && !swim_.set_meta(now, meta)) meta_.reset();
  if (app_ == App::kSerf) {
    serf_.start(now);
  } else {
    swim_.set_ack_payload(std::nullopt);
    swim_.set_user_state({});
  }
  events_.emplace_back(AppChosen{app});
}

// ---- what it says ----

std::optional<AgentEvent> Agent::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event out = std::move(events_.front());
  events_.pop_front();
  return out;
}

std::optional<Instant> Agent::next_timeout() const {
  return earlier(timers_.next(), earlier(swim_.next_timeout(), serf_.next_timeout()));
}

MemberInfo Agent::as_shown(MemberInfo member) const {
  const bool left = app_ == App::kSerf && member.state == State::kDead &&
                    serf_.is_leaving(member.name);
  if (left) member.state = State::kLeft;
  return member;
}

std::vector<MemberInfo> Agent::members() const {
  std::vector<MemberInfo> out = swim_.members();
  for (MemberInfo& member : out) member = as_shown(std::move(member));
  return out;
}

std::optional<MemberInfo> Agent::member(std::string_view name) const {
  auto out = swim_.member(name);
  return out ? std::optional(as_shown(*std::move(out))) : std::nullopt;
}

}  // namespace ginnel::swim
