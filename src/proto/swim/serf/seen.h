// Which events and queries were there already, so that each is told and passed on once.
//
//   EventBuffer events;
//   if (events.add(event)) { deliver(event); pass_on(event); }
//
// As serf: a ring of 512 Lamport times; what is older than the ring counts as seen.
#pragma once
#include <map>
#include <set>
#include <string>

#include "proto/swim/serf/lamport.h"

namespace ginnel::swim::serf {

inline constexpr std::size_t kRingSize = 512;  // serf config.go, EventBuffer and QueryBuffer
// Events or queries of one Lamport time; further ones of it are not taken.
inline constexpr std::size_t kPerTimeMax = 64;

struct SeenEvent {
  std::string name;
  ByteVector payload;
  friend bool operator==(const SeenEvent&, const SeenEvent&) = default;
};

class EventBuffer {
 public:
  struct Slot {
    Ltime ltime = 0;
    std::vector<SeenEvent> events;
  };

  // True: new.
  bool add(const UserEvent& event);
  LamportClock& clock() { return clock_; }
  const LamportClock& clock() const { return clock_; }
  // Older ones are not told: what was before we joined is not for us.
  void set_min_time(Ltime time) { min_time_ = time; }
  // By no order that means anything; slots without events are left out.
  const std::map<std::size_t, Slot>& slots() const { return slots_; }

 private:
  LamportClock clock_;
  Ltime min_time_ = 0;
  std::map<std::size_t, Slot> slots_;  // by ltime % kRingSize
};

class QueryBuffer {
 public:
  // True: new.
  bool add(Ltime ltime, std::uint32_t id);
  LamportClock& clock() { return clock_; }
  const LamportClock& clock() const { return clock_; }

 private:
  struct Slot {
    Ltime ltime = 0;
    std::set<std::uint32_t> ids;
  };
  LamportClock clock_;
  std::map<std::size_t, Slot> slots_;
};

}  // namespace ginnel::swim::serf
