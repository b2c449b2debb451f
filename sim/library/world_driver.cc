#include "sim/library/world_driver.h"

#include "base/assert.h"

namespace ginnel::sim {
namespace {

constexpr Nanoseconds kStep = 1ms;
// As the drivers of real nodes (runtime/embedded/linger.h); the goodbye has time to arrive.
constexpr Nanoseconds kLinger = 1s;
constexpr Nanoseconds kGoodbye = 100ms;

}  // namespace

void WorldDriver::start(EventHandler handler) {
  host().on_event([this, handler = std::move(handler)](Instant now, const node::Event& event) {
    if (closed_) return;
    const bool before = std::exchange(busy_, true);
    handler(*host().node(), now, event);
    busy_ = before;
  });
}

// In a handler the world may be draining this machine or another one: it is poked right after.
bool WorldDriver::with_core(const Work& work) {
  if (closed_ || !host().node()) return false;
  work(*host().node(), world_.now());
  if (busy_) {
    world_.call_at(world_.now(), [machine = machine_](World& world) { world.poke(machine); });
  } else {
    world_.poke(machine_);
  }
  return true;
}

bool WorldDriver::wait_until(const Condition& condition, Nanoseconds limit) {
  const Instant end = world_.now() + limit;
  while (!closed_ && !condition(*host().node(), world_.now())) {
    if (busy_ || world_.now() >= end) return false;
    world_.run_for(kStep);
  }
  return !closed_;
}

void WorldDriver::run() {
  while (!busy_ && !closed_ && !stopped_) world_.run_for(kStep);
}

void WorldDriver::close() {
  if (closed_) return;
  GINNEL_ASSERT(!busy_);  // a handler destroyed the network
  wait_until([](const node::Node& core, Instant) { return core.outstanding() == 0; }, kLinger);
  host().node()->leave(world_.now());
  closed_ = true;
  world_.poke(machine_);
  world_.run_for(kGoodbye);
  world_.crash(machine_);
}

}  // namespace ginnel::sim
