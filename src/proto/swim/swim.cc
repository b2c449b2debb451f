#include "proto/swim/swim.h"

#include "base/assert.h"
#include "proto/swim/compound.h"
#include "proto/swim/limits.h"
#include "proto/swim/scaling.h"

namespace ginnel::swim {
namespace {

// Deviation: memberlist's first push/pull comes after a whole interval. A member that missed others'
// first alive would be without them for so long.
constexpr Nanoseconds kFirstPushPullMax = 5s;

}  // namespace

Swim::Swim(Config config, Rng rng)
    : config_(std::move(config)),
      rng_(rng.fork("swim")),
      framer_(config_.frame),
      members_(config_, rng.fork("members"), events_),
      adopting_(config_.adopt_versions) {
  GINNEL_ASSERT(!config_.name.empty());
  GINNEL_ASSERT(config_.name.size() <= kNameBytesMax);
  GINNEL_ASSERT(config_.meta.size() <= kMetaBytesMax);
  GINNEL_ASSERT(config_.frame.label.size() <= kLabelBytesMax);
}

// memberlist schedule(): each ticker begins at a random point of its interval.
void Swim::start(Instant now) {
  members_.start(now);
  probe_tick_ = now + rng_.between(0ns, config_.probe_interval);
  timers_.set(Timer::kProbe, probe_tick_);
  gossip_epoch_ = now + rng_.between(0ns, config_.gossip_interval);
  if (config_.push_pull_interval > 0ns) {
    const Nanoseconds most = std::min(config_.push_pull_interval, kFirstPushPullMax);
    timers_.set(Timer::kPushPull, now + rng_.between(0ns, most));
  }
  if (config_.reconnect_interval > 0ns) {
    timers_.set(Timer::kReconnect, now + rng_.between(0ns, config_.reconnect_interval));
  }
  arm_gossip(now);
}

void Swim::leave(Instant now, Nanoseconds timeout) {
  if (members_.has_left()) return;
  members_.leave(now);
  timers_.set(Timer::kLeave, now + timeout);
  check_leave(now);
  arm_gossip(now);
}

Result<void, Drop> Swim::set_meta(Instant now, ConstBytes meta) {
  if (meta.size() > kMetaBytesMax) return Fail(Drop::kTooLarge);
  config_.meta = to_vector(meta);
  members_.announce_self(now);
  arm_gossip(now);
  return {};
}

void Swim::set_advertise(Instant now, const Endpoint& advertise) {
  config_.advertise = advertise;
  members_.announce_self(now);
  arm_gossip(now);
}

void Swim::set_versions(Instant now, const Vsn& vsn) {
  config_.vsn = vsn;
  members_.announce_self(now);
  arm_gossip(now);
}

void Swim::set_heartbeats(Instant now, bool on) {
  if (members_.is_silent() != on) return;
  members_.set_silent(!on);
  if (on) members_.announce_self(now);
  arm_gossip(now);
}

void Swim::set_user_state(ByteVector state) {
  if (state.size() > kStreamBytesMax) state.clear();
  user_state_ = std::move(state);
}

Result<void, Drop> Swim::broadcast(Instant now, std::string_view subject, ConstBytes message) {
  if (message.empty()) return Fail(Drop::kEmpty);
  if (message.size() + 1 + kCompoundPartBytes > packet_bytes()) return Fail(Drop::kTooLarge);
  ByteVector out{static_cast<std::byte>(MessageType::kUser)};
  out.insert(out.end(), message.begin(), message.end());
  rumors_.add(subject, std::move(out));
  arm_gossip(now);
  return {};
}

Result<void, Drop> Swim::send_best_effort(std::string_view name, ConstBytes message) {
  const Member* member = members_.table().find(name);
  if (member == nullptr) return Fail(Drop::kUnknownMember);
  if (message.empty()) return Fail(Drop::kEmpty);
  if (message.size() + 1 + framer_.datagram_overhead_bytes() > kDatagramBytesMax) {
    return Fail(Drop::kTooLarge);
  }
  ByteVector out{static_cast<std::byte>(MessageType::kUser)};
  out.insert(out.end(), message.begin(), message.end());
  std::vector<ByteVector> messages;
  messages.push_back(std::move(out));
  send_packet(kSocket, member->endpoint, std::move(messages), seal_for(*member));
  return {};
}

Result<void, Drop> Swim::send_to(const Endpoint& to, ConstBytes message) {
  if (message.empty()) return Fail(Drop::kEmpty);
  if (message.size() + 1 + framer_.datagram_overhead_bytes() > kDatagramBytesMax) {
    return Fail(Drop::kTooLarge);
  }
  ByteVector out{static_cast<std::byte>(MessageType::kUser)};
  out.insert(out.end(), message.begin(), message.end());
  send(kSocket, to, std::move(out));
  return {};
}

void Swim::handle_timeout(Instant now) {
  members_.handle_timeout(now);
  while (const auto seq = awaited_deadlines_.take_expired(now)) {
    const auto it = awaited_.find(*seq);
    const Awaited awaited = std::move(it->second);
    awaited_.erase(it);
    expired(now, SequenceNumber(*seq), awaited);
  }
  while (const auto stream = stream_deadlines_.take_expired(now)) {
    fail_stream(*stream, JoinError::kTimeout, "no answer in time");
  }
  if (timers_.take_expired(Timer::kAckTimeout, now)) ask_others(now);
  if (timers_.take_expired(Timer::kProbeEnd, now)) fail_probe(now);
  if (timers_.take_expired(Timer::kProbe, now)) start_probe(now);
  if (timers_.take_expired(Timer::kGossip, now)) gossip(now);
  if (timers_.take_expired(Timer::kPushPull, now)) start_push_pull(now);
  if (timers_.take_expired(Timer::kReconnect, now)) reconnect(now);
  if (timers_.take_expired(Timer::kAdopt, now) && adopting_) adopt_versions(now, to_adopt_);
  if (timers_.take_expired(Timer::kLeave, now)) events_.push_back(LeaveDone{});
  arm_gossip(now);
}

std::optional<Transmit> Swim::poll_transmit(Instant, Bytes out) {
  while (!datagrams_.empty()) {
    const Datagram datagram = std::move(datagrams_.front());
    datagrams_.pop_front();
    sealed_.clear();
    framer_.seal_datagram(datagram.message, datagram.seal, rng_, sealed_);
    if (sealed_.size() > out.size()) {
      count(Drop::kTooLarge);
      continue;
    }
    std::ranges::copy(sealed_, out.begin());
    return Transmit{.path = datagram.path, .to = datagram.to, .size = sealed_.size()};
  }
  return std::nullopt;
}

std::optional<Event> Swim::poll_event() { return events_.pop(); }

std::optional<Instant> Swim::next_timeout() const {
  const auto own = earlier(timers_.next(), members_.next_timeout());
  return earlier(own, earlier(awaited_deadlines_.next(), stream_deadlines_.next()));
}

std::vector<MemberInfo> Swim::members() const {
  std::vector<MemberInfo> out;
  out.reserve(members_.table().size());
  for (const auto& [name, member] : members_.table().all()) out.push_back(member->info());
  return out;
}

std::optional<MemberInfo> Swim::member(std::string_view name) const {
  const Member* member = members_.table().find(name);
  return member == nullptr ? std::nullopt : std::optional(member->info());
}

}  // namespace ginnel::swim
