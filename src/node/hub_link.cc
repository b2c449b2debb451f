#include "node/hub_link.h"

#include <algorithm>

#include "base/timers.h"

namespace ginnel::node {

void HubLink::session_up(Instant now) {
  state_ = State::kRegistering;
  register_.start(now);
  next_heartbeat_.reset();
  behind_since_.reset();
  heard_ = now;
}

void HubLink::session_down() {
  state_ = State::kDown;
  register_.stop();
  next_heartbeat_.reset();
  behind_since_.reset();
}

void HubLink::announce(Instant now) {
  if (state_ != State::kOnline || !is_answered()) return;
  const bool too_soon = last_register_ && now - *last_register_ < kAnnounceSpacing;
  register_.start(too_soon ? *last_register_ + kAnnounceSpacing : now);
}

control::Register HubLink::take_register(Instant now) {
  register_.take_due(now);
  last_register_ = now;
  control::Register out;
  out.sequence = ++sequence_;
  out.table = table_.position();
  return out;
}

bool HubLink::heartbeat_due(Instant now) const {
  return state_ == State::kOnline && next_heartbeat_ && *next_heartbeat_ <= now;
}

control::Heartbeat HubLink::take_heartbeat(Instant now) {
  // handle_heartbeat_ack moves it to the interval.
  next_heartbeat_ = now + std::max(kHeartbeatRetry, 2 * heartbeats_.rtt().value_or(0ns));
  control::Heartbeat out;
  last_heartbeat_ = now;
  out.sequence = heartbeats_.begin(now, 0);
  out.stamp = static_cast<std::uint64_t>(now.ns);
  out.table = table_.position();
  return out;
}

bool HubLink::handle_registered(Instant now, const control::Registered& message) {
  if (state_ == State::kDown) return false;
  heard_ = now;
  if (state_ == State::kRegistering) heartbeats_.forget_loss();
  const bool news = state_ == State::kRegistering || !registration_ ||
                    registration_->relay_index != message.relay_index ||
                    registration_->relay_key != message.relay_key ||
                    registration_->observed != message.observed;
  registration_ = message;
  // An older answer than the newest REGISTER: what changed since is still unanswered.
  if (is_answered()) register_.start(now + kRefresh);
  if (state_ == State::kRegistering) next_heartbeat_ = now + interval();
  state_ = State::kOnline;
  return news;
}

std::optional<Nanoseconds> HubLink::handle_heartbeat_ack(Instant now,
                                                         const control::HeartbeatAck& ack) {
  if (state_ != State::kOnline) return std::nullopt;
  heard_ = now;
  hub_state_ = ack.state;
  const bool in_step = ack.state.table == table_.position();
  if (in_step) behind_since_.reset();
  if (!in_step && !behind_since_) behind_since_ = now;
  const auto answered = heartbeats_.take_answer(now, 0, ack.state.sequence);
  if (!answered) return std::nullopt;
  next_heartbeat_ = last_heartbeat_ + interval();
  return answered->rtt;
}

bool HubLink::take_lost(Instant now) {
  if (state_ != State::kOnline || now - heard_ < interval() * kHeartbeatsLost) return false;
  session_down();
  return true;
}

bool HubLink::take_snapshot_request(Instant now) {
  if (state_ != State::kOnline) return false;
  const bool behind = behind_since_ && now - *behind_since_ >= interval();
  if (!behind && !table_.needs_snapshot()) return false;
  behind_since_.reset();
  table_.snapshot_requested();
  return true;
}

Nanoseconds HubLink::interval() const {
  if (!registration_ || registration_->heartbeat_ms == 0) return heartbeat_;
  return std::chrono::milliseconds(registration_->heartbeat_ms);
}

std::optional<Instant> HubLink::next_timeout() const {
  std::optional<Instant> out = earlier(register_.next(), next_heartbeat_);
  if (state_ == State::kOnline) out = earlier(out, heard_ + interval() * kHeartbeatsLost);
  return out;
}

}  // namespace ginnel::node
