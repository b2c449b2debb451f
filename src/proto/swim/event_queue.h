// What a member has to tell, in order, and never more than a driver could have meant to leave there.
//
//   EventQueue events;
//   events.push_back(Joined{member});
//   while (auto event = events.pop()) ...
//
// A driver drains after each call, so only what one datagram or stream brings stands here. At the
// limits user messages, states and payloads are dropped first (kUserEventsMax, kUserBytesMax), then
// any news (kEventsMax); streams and outcomes are always kept: their numbers are bounded elsewhere.
#pragma once
#include <deque>

#include "proto/swim/events.h"

namespace ginnel::swim {

class EventQueue {
 public:
  // More than two for each of the members that a Config allows by default.
  static constexpr std::size_t kEventsMax = 262'144;
  static constexpr std::size_t kUserEventsMax = 16'384;
  // One message or state of the largest size (kStreamBytesMax) and some beside it.
  static constexpr std::size_t kUserBytesMax = 32u << 20;

  void push_back(Event event);
  std::optional<Event> pop();

  bool empty() const { return events_.empty(); }
  std::size_t size() const { return events_.size(); }
  std::uint64_t lost() const { return lost_; }

 private:
  std::deque<Event> events_;
  std::size_t user_events_ = 0;
  std::size_t user_bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace ginnel::swim
