#include "proto/swim/agent.h"

#include "proto/swim/limits.h"
#include "proto/swim/metadata/limits.h"

namespace ginnel::swim {
namespace {

// What Debian's serf 0.9.4 announces (serf.go, ProtocolVersionMin, Max).
constexpr Vsn kSerfVsn{1, 5, 2, 2, 5, 5};
constexpr std::uint8_t kSerfDelegateMin = 2;
// memberlist lets two members meet only if their ranges fit: far from serf's and from 0, that of
// programs without a delegate.
constexpr Vsn kGinnelVsn{1, 5, 2, 64, 64, 64};

// Own rows with tags that found no room in memberlist's 512 bytes: this and the tag's name.
constexpr std::string_view kTagPrefix = "tag/";

// serf calls a member that goes without its intent failed, so the intent has to be everywhere first
// (serf.go, LeavePropagateDelay).
constexpr Nanoseconds kLeaveSpreadTime = 1s;
constexpr Nanoseconds kLeaveTimeout = 5s;  // of the whole

App app_of(const Vsn& vsn) {
  if (vsn.d_max == kGinnelVsn.d_max) return App::kGinnel;
  return vsn.d_max >= kSerfDelegateMin ? App::kSerf : App::kNone;
}

// As many as fit, in the order of their names; the rest is left out.
serf::Tags fitting(const serf::Tags& tags) {
  serf::Tags out;
  for (const auto& [name, value] : tags) {
    serf::Tags more = out;
    more.emplace(name, value);
    if (serf::encode_tags(more).size() <= kMetaBytesMax) out = std::move(more);
  }
  return out;
}

App first_app(const AgentConfig& config) {
  return config.app.value_or(config.tags.empty() ? App::kNone : App::kSerf);
}

}  // namespace

Config Agent::swim_config(AgentConfig config) {
  const App app = first_app(config);
  Config out = std::move(config.swim);
  if (app == App::kSerf) out.vsn = kSerfVsn;
  if (app == App::kGinnel) out.vsn = kGinnelVsn;
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
      serf_(swim_, rng.fork("serf")),
      metadata_(swim_, rng.fork("metadata")) {}

ByteVector Agent::own_meta() const {
  if (meta_) return *meta_;
  if (tags_.empty() && app_ == App::kNone) return {};
  return serf::encode_tags(app_ == App::kGinnel ? fitting(tags_) : tags_);
}

void Agent::start(Instant now) {
  swim_.start(now);
  if (speaks_serf(app_)) serf_.start(now);
  if (app_ == App::kGinnel) {
    metadata_.start(now);
    (void)spread_tags(now, tags_);
  }
  settle(now);
}

void Agent::join(Instant now, const Endpoint& to) {
  if (speaks_serf(app_)) serf_.refresh_user_state();
  swim_.join(now, to);
  settle(now);
}

void Agent::leave(Instant now) {
  if (std::exchange(leaving_, true)) return;
  if (speaks_serf(app_) && swim_.alive_count() > 1) {
    serf_.announce_leave(now);
    timers_.set(Timer::kLeaveSpread, now + kLeaveSpreadTime);
  } else {
    swim_.leave(now, kLeaveTimeout);
  }
  settle(now);
}

Result<void, Drop> Agent::set_tags(Instant now, serf::Tags tags) {
  const bool ours = app_ == App::kGinnel;
  if (ours) {
    if (auto done = spread_tags(now, tags); !done) return done;
  }
  const auto set = swim_.set_meta(now, serf::encode_tags(ours ? fitting(tags) : tags));
  if (!set) return set;
  tags_ = std::move(tags);
  meta_.reset();
  settle(now);
  return {};
}

Result<void, Drop> Agent::set_meta(Instant now, ConstBytes meta) {
  const auto set = swim_.set_meta(now, meta);
  if (!set) return set;
  meta_ = to_vector(meta);
  tags_.clear();
  settle(now);
  return {};
}

void Agent::set_heartbeats(Instant now, bool on) {
  swim_.set_heartbeats(now, on);
  settle(now);
}

void Agent::answer_alive(Instant now, AskId id, bool accept) {
  swim_.answer_alive(now, id, accept);
  settle(now);
}

void Agent::answer_merge(Instant now, AskId id, bool accept) {
  swim_.answer_merge(now, id, accept);
  settle(now);
}

// What fitting() leaves out becomes rows of ours, and rows that are no longer wanted go.
Result<void, Drop> Agent::spread_tags(Instant now, const serf::Tags& tags) {
  const serf::Tags inside = fitting(tags);
  serf::Tags rest;
  for (const auto& [name, value] : tags) {
    if (inside.contains(name)) continue;
    const bool fits = !name.empty() && name.size() + kTagPrefix.size() <= metadata::kKeyBytesMax &&
                      value.size() <= metadata::kValueBytesMax;
    if (!fits) return Fail(Drop::kTooLarge);
    rest.emplace(name, value);
  }
  for (const metadata::Item& item : metadata_.list(own_key(kTagPrefix))) {
    const bool wanted = rest.contains(item.key.name.substr(kTagPrefix.size()));
    if (!wanted) (void)metadata_.erase(now, item.key, std::nullopt);
  }
  for (const auto& [name, value] : rest) {
    const metadata::Key key = own_key(std::string(kTagPrefix) + name);
    const auto old = metadata_.get(key);
    if (old && text_of(old->value) == value) continue;
    if (!metadata_.put(now, key, bytes_of(value), std::nullopt)) return Fail(Drop::kTooLarge);
  }
  return {};
}

std::optional<serf::Tags> Agent::tags_of(const MemberInfo& member) const {
  auto out = serf::decode_tags(member.meta);
  if (!out || app_ != App::kGinnel) return out;
  const metadata::Key prefix{metadata::Space::kOwn, member.name, std::string(kTagPrefix)};
  for (const metadata::Item& item : metadata_.list(prefix)) {
    out->insert_or_assign(item.key.name.substr(kTagPrefix.size()),
                          std::string(text_of(item.value)));
  }
  return out;
}

metadata::Key Agent::own_key(std::string_view name) const {
  return {metadata::Space::kOwn, swim_.config().name, std::string(name)};
}

Result<metadata::Version, metadata::Refusal> Agent::put(
    Instant now, const metadata::Key& key, ConstBytes value,
    const std::optional<metadata::Version>& if_seen) {
  auto out = metadata_.put(now, key, value, if_seen);
  settle(now);
  return out;
}

Result<metadata::Version, metadata::Refusal> Agent::erase(
    Instant now, const metadata::Key& key, const std::optional<metadata::Version>& if_seen) {
  auto out = metadata_.erase(now, key, if_seen);
  settle(now);
  return out;
}

// ---- what the application sends ----

ByteVector Agent::wrapped(ConstBytes message) const {
  ByteVector out;
  if (app_ == App::kGinnel && !message.empty()) out.push_back(kUserEnvelope);
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

Result<void, Drop> Agent::broadcast(Instant now, ConstBytes message) {
  return swim_.broadcast(now, "", wrapped(message));
}

Result<void, Drop> Agent::send_best_effort(Instant, std::string_view name, ConstBytes message) {
  return swim_.send_best_effort(name, wrapped(message));
}

Result<StreamId, Drop> Agent::send_reliable(Instant now, std::string_view name,
                                            ConstBytes message) {
  auto out = swim_.send_reliable(now, name, wrapped(message));
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
  if (speaks_serf(app_)) serf_.refresh_user_state();
  if (timers_.take_expired(Timer::kLeaveSpread, now)) {
    swim_.leave(now, kLeaveTimeout - kLeaveSpreadTime);
  }
  swim_.handle_timeout(now);
  serf_.handle_timeout(now);
  if (app_ == App::kGinnel) metadata_.handle_timeout(now);
  settle(now);
}

std::optional<StreamId> Agent::accept_stream(Instant now, const Endpoint& from) {
  return swim_.accept_stream(now, from);
}

void Agent::handle_stream_data(Instant now, StreamId stream, ConstBytes bytes) {
  if (speaks_serf(app_)) serf_.refresh_user_state();
  swim_.handle_stream_data(now, stream, bytes);
  settle(now);
}

void Agent::handle_stream_closed(Instant now, StreamId stream, StreamEnd end) {
  swim_.handle_stream_closed(now, stream, end);
  settle(now);
}

void Agent::settle(Instant now) {
  while (auto event = swim_.poll_event()) {
    if (!is_others(now, *event)) route(now, *std::move(event));
  }
  while (auto event = serf_.poll_event()) route(*std::move(event));
  while (auto event = metadata_.poll_event()) route(*std::move(event));
}

// An event that a layer of ours takes, or (a user's message) one that it uncovers.
bool Agent::is_others(Instant now, const swim::Event& event) {
  if (app_ == App::kGinnel) {
    const auto* user = std::get_if<UserMessage>(&event);
    if (user != nullptr && user->bytes.size() > 1 && user->bytes[0] == kUserEnvelope) {
      route(now, UserMessage{to_vector(ConstBytes(user->bytes).subspan(1)), user->reliable,
                             user->from});
      return true;
    }
    if (metadata_.handle(now, event)) return true;
  }
  return speaks_serf(app_) && serf_.handle(now, event);
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

// A tag that came as a row changes what the member shows, as one inside its metadata does.
void Agent::route(metadata::Changed event) {
  const bool tag = event.key.space == metadata::Space::kOwn &&
                   event.key.owner != swim_.config().name &&
                   event.key.name.starts_with(kTagPrefix);
  if (tag) {
    auto row = member(event.key.owner);
    if (row) events_.emplace_back(swim::Event(Updated{*std::move(row)}));
  }
  events_.emplace_back(std::move(event));
}

// The metadata follows the application: serf's members read an empty one as the "role" of old.
void Agent::adopt(Instant now, const Vsn& vsn) {
  const App app = app_of(vsn);
  if (app == app_) return;
  app_ = app;
  const ByteVector meta = own_meta();
  if (!equal(meta, swim_.config().meta) && !swim_.set_meta(now, meta)) meta_.reset();
  if (app_ == App::kGinnel) {
    metadata_.start(now);
    (void)spread_tags(now, tags_);
  }
  if (speaks_serf(app_)) {
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
  const auto shared = app_ == App::kGinnel ? metadata_.next_timeout() : std::nullopt;
  return earlier(earlier(timers_.next(), shared),
                 earlier(swim_.next_timeout(), serf_.next_timeout()));
}

MemberInfo Agent::as_shown(MemberInfo member) const {
  const bool left = speaks_serf(app_) && member.state == State::kDead &&
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
