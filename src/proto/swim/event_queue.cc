#include "proto/swim/event_queue.h"

namespace ginnel::swim {
namespace {

// The bytes that others chose to send us; nullopt: no such event.
std::optional<std::size_t> user_bytes_of(const Event& event) {
  if (const auto* message = std::get_if<UserMessage>(&event)) return message->bytes.size();
  if (const auto* state = std::get_if<RemoteState>(&event)) return state->bytes.size();
  if (const auto* payload = std::get_if<AckPayload>(&event)) return payload->bytes.size();
  return std::nullopt;
}

template <class... Kept>
bool is_any_of(const Event& event) {
  return (std::holds_alternative<Kept>(event) || ...);
}

// Somebody waits for these, and each belongs to a stream, a ping or a question of a bounded table.
bool is_owed(const Event& event) {
  return is_any_of<LeaveDone, JoinDone, JoinFailed, NameTaken, SendDone, PingDone, AskAlive,
                   AskMerge, StreamOpen, StreamWrite, StreamClose>(event);
}

}  // namespace

void EventQueue::push_back(Event event) {
  const auto bytes = user_bytes_of(event);
  const bool user_full = bytes && (user_events_ == kUserEventsMax ||
                                   user_bytes_ + *bytes > kUserBytesMax);
  if (user_full || (events_.size() >= kEventsMax && !is_owed(event))) {
    ++lost_;
    return;
  }
  if (bytes) {
    ++user_events_;
    user_bytes_ += *bytes;
  }
  events_.push_back(std::move(event));
}

std::optional<Event> EventQueue::pop() {
  if (events_.empty()) return std::nullopt;
  Event out = std::move(events_.front());
  events_.pop_front();
  if (const auto bytes = user_bytes_of(out)) {
    --user_events_;
    user_bytes_ -= *bytes;
  }
  return out;
}

}  // namespace ginnel::swim
