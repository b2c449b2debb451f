// What changes rows: the application, rumors, and announcements of large values.
#include "proto/swim/metadata/metadata.h"

#include "proto/swim/metadata/limits.h"

namespace ginnel::swim::metadata {
namespace {

constexpr Nanoseconds kPullTimeout = 10s;  // then another announcement of it is heard again

Refusal refusal_of(Merge merge) {
  return merge == Merge::kFull ? Refusal::kFull : Refusal::kClock;
}

}  // namespace

Metadata::Metadata(Swim& swim, Rng rng) : swim_(swim), rng_(std::move(rng)) {}

const std::string& Metadata::own_name() const { return swim_.config().name; }

void Metadata::start(Instant now) {
  timers_.set(Timer::kExchange, now + rng_.between(0s, kExchangeInterval));
}

bool Metadata::handle(Instant now, const swim::Event& event) {
  if (const auto* joined = std::get_if<JoinDone>(&event)) return met(now, joined->via), false;
  const auto* user = std::get_if<UserMessage>(&event);
  if (user == nullptr || user->bytes[0] != kEnvelope) return false;
  const auto message = parse(user->bytes);
  if (!message) return ++unreadable_, true;
  std::visit([&](const auto& m) { handle(now, m); }, *message);
  return true;
}

std::optional<Changed> Metadata::poll_event() {
  if (events_.empty()) return std::nullopt;
  Changed out = std::move(events_.front());
  events_.pop_front();
  return out;
}

void Metadata::tell(const Change& change) {
  if (events_.size() == kEventsMax) {
    ++events_lost_;
    return;
  }
  events_.push_back({*Key::from_wire(change.key),
                     {change.time, std::string(change.writer)}, change.deleted});
}

// ---- the application ----

Result<Version, Refusal> Metadata::put(Instant now, const Key& key, ConstBytes value,
                                       const std::optional<Version>& if_seen) {
  if (value.size() > kValueBytesMax) return Fail(Refusal::kTooLarge);
  return write(now, key, false, value, if_seen);
}

Result<Version, Refusal> Metadata::erase(Instant now, const Key& key,
                                         const std::optional<Version>& if_seen) {
  if (key.is_valid() && !get(key)) return Fail(Refusal::kUnknownKey);
  return write(now, key, true, {}, if_seen);
}

Result<Version, Refusal> Metadata::write(Instant now, const Key& key, bool deleted,
                                         ConstBytes value,
                                         const std::optional<Version>& if_seen) {
  if (key.name.size() > kKeyBytesMax) return Fail(Refusal::kTooLarge);
  const bool foreign = key.space == Space::kOwn && key.owner != own_name();
  if (!key.is_valid() || foreign) return Fail(Refusal::kMalformed);
  const std::string wire = key.wire();
  const Row* row = store_.find(wire);
  const bool there = row != nullptr && !row->deleted;
  if (if_seen && *if_seen != (there ? row->version : Version{})) return Fail(Refusal::kChanged);
  const Change change{wire, store_.clock().take(now), own_name(), deleted, value};
  const Merge merge = store_.apply(now, change);
  if (merge != Merge::kApplied) return Fail(refusal_of(merge));
  if (key.space == Space::kOwn) {
    if (deleted) own_.erase(wire);
    else own_.insert_or_assign(wire, to_vector(value));
  }
  tell(change);
  pass_on(now, change);
  return Version{change.time, own_name()};
}

std::optional<Item> Metadata::get(const Key& key) const {
  const Row* row = store_.find(key.wire());
  if (row == nullptr || row->deleted) return std::nullopt;
  return Item{key, row->version, row->value};
}

std::vector<Item> Metadata::list(const Key& prefix) const {
  std::vector<Item> out;
  const std::string start = prefix.wire();
  store_.each([&](const Row& row) {
    if (row.deleted || !row.key.starts_with(start)) return;
    out.push_back({*Key::from_wire(row.key), row.version, row.value});
  });
  std::ranges::sort(out, {}, &Item::key);
  return out;
}

// ---- what others say ----

// memberlist's rumors are passed on by nobody, so each member does it itself with all that is new
// to it. A value that does not fit into a packet is announced, and fetched from the announcer.
void Metadata::pass_on(Instant now, const Change& change) {
  const std::uint64_t hash = hash_of(change.key);
  const std::string subject = "metadata " + std::to_string(hash);
  const auto whole = swim_.broadcast(now, subject, encode(Rumor{change}));
  if (!whole) (void)swim_.broadcast(now, subject, encode(Announce{change, own_name()}));
}

// True: it was new.
bool Metadata::take(Instant now, const Change& change) {
  const Merge merge = store_.apply(now, change);
  if (merge != Merge::kApplied) {
    ++refused_[static_cast<std::size_t>(merge)];
    return false;
  }
  tell(change);
  return true;
}

void Metadata::handle(Instant now, const Rumor& message) {
  if (!take(now, message.change)) return;
  pass_on(now, message.change);
  defend(now, message.change);
}

void Metadata::handle(Instant now, const Announce& message) {
  const Change& change = message.change;
  const std::uint64_t hash = hash_of(change.key);
  const Row* row = store_.find(hash);
  const Version theirs{change.time, std::string(change.writer)};
  if (row != nullptr && row->version >= theirs) return;
  if (store_.clock().is_ahead(now, change.time)) {
    ++refused_[static_cast<std::size_t>(Merge::kAhead)];
    return;
  }
  if (pulls_.deadline(hash) || pulls_.size() == kPullsMax) return;
  if (send(now, message.from, encode(Want{{hash}, own_name()}))) {
    pulls_.set(hash, now + kPullTimeout);
  }
}

// A row of ours from an earlier life, or from somebody who uses our name: what we say now stands.
void Metadata::defend(Instant now, const Change& change) {
  const auto key = Key::from_wire(change.key);
  if (key->space != Space::kOwn || key->owner != own_name()) return;
  const auto wanted = own_.find(std::string(change.key));
  if (wanted == own_.end()) {
    if (!change.deleted) (void)erase(now, *key, std::nullopt);
    return;
  }
  if (change.deleted || !equal(change.value, wanted->second)) {
    (void)put(now, *key, ByteVector(wanted->second), std::nullopt);
  }
}

void Metadata::renew_own(Instant now) {
  std::vector<std::pair<Key, ByteVector>> due;
  for (const auto& [wire, value] : own_) {
    const Row* row = store_.find(wire);
    const bool fresh = row != nullptr &&
                       !store_.clock().is_older(now, row->version.time, kRenewTime);
    if (!fresh) due.emplace_back(*Key::from_wire(wire), value);
  }
  for (const auto& [key, value] : due) (void)put(now, key, value, std::nullopt);
}

}  // namespace ginnel::swim::metadata
