#include "proto/swim/serf/seen.h"

namespace ginnel::swim::serf {
namespace {

// serf.go handleUserEvent: a time that the ring has passed.
bool is_too_old(Ltime ltime, const LamportClock& clock) {
  return clock.time() > kRingSize && ltime < clock.time() - kRingSize;
}

// The slot of that time, empty if another time held it.
template <class Slots>
auto& slot_of(Slots& slots, Ltime ltime) {
  auto& slot = slots[static_cast<std::size_t>(ltime % kRingSize)];
  if (slot.ltime != ltime) {
    slot = {};
    slot.ltime = ltime;
  }
  return slot;
}

}  // namespace

bool EventBuffer::add(const UserEvent& event) {
  clock_.witness(event.ltime);
  if (event.ltime < min_time_ || is_too_old(event.ltime, clock_)) return false;
  Slot& slot = slot_of(slots_, event.ltime);
  SeenEvent seen{std::string(event.name), to_vector(event.payload)};
  if (slot.events.size() == kPerTimeMax) return false;
  if (std::ranges::find(slot.events, seen) != slot.events.end()) return false;
  slot.events.push_back(std::move(seen));
  return true;
}

bool QueryBuffer::add(Ltime ltime, std::uint32_t id) {
  clock_.witness(ltime);
  if (is_too_old(ltime, clock_)) return false;
  Slot& slot = slot_of(slots_, ltime);
  return slot.ids.size() < kPerTimeMax && slot.ids.insert(id).second;
}

}  // namespace ginnel::swim::serf
