#include "runtime/embedded/polled_driver.h"

#include "base/assert.h"
#include "io/clock.h"
#include "runtime/embedded/linger.h"

namespace ginnel::runtime {

using SteadyClock = std::chrono::steady_clock;

Result<std::unique_ptr<PolledDriver>, Error> PolledDriver::open(Prepared prepared) {
  std::unique_ptr<PolledDriver> out(new PolledDriver(std::move(prepared)));
  if (auto opened = out->engine_.open(); !opened) return Fail(opened.error());
  return out;
}

void PolledDriver::start(EventHandler handler) {
  engine_.on_event([this, handler = std::move(handler)](const node::Event& event) {
    handler(engine_.node(), io::now(), event);
  });
  engine_.loop().wake();  // the first poll() has the core's first words to send
}

bool PolledDriver::with_core(const Work& work) {
  if (closed_) return false;
  work(engine_.node(), io::now());
  if (!stepping_) engine_.loop().wake();
  return true;
}

// The loop's timer is set at the start of a round: once more at its end, so that the descriptor is
// readable when the next deadline has passed.
void PolledDriver::step(Nanoseconds max_wait) {
  stepping_ = true;
  engine_.loop().run_once(max_wait);
  engine_.loop().arm_timer();
  stepping_ = false;
}

bool PolledDriver::wait_until(const Condition& condition, Nanoseconds limit) {
  const Instant end = io::now() + limit;
  while (!closed_ && !condition(engine_.node(), io::now())) {
    const Instant now = io::now();
    if (stepping_ || now >= end) return false;
    step(std::min<Nanoseconds>(end - now, kLook));
  }
  return !closed_;
}

void PolledDriver::run() {
  while (!stepping_ && !closed_ && !stopped_.load()) step(kRunWait);
}

void PolledDriver::stop() {
  stopped_.store(true);
  engine_.loop().wake();
}

std::optional<SteadyClock::time_point> PolledDriver::next_deadline() const {
  const auto next = engine_.loop().next_deadline();
  if (!next || closed_) return std::nullopt;
  return SteadyClock::now() + (*next - io::now());
}

// What becomes ready meanwhile is served, too, until nothing is left or `until` has passed.
bool PolledDriver::poll(SteadyClock::time_point until) {
  if (stepping_ || closed_) return true;
  step(0ns);
  for (auto now = SteadyClock::now(); now < until && !stopped_.load(); now = SteadyClock::now()) {
    step(std::min<Nanoseconds>(until - now, kRunWait));
  }
  return true;
}

void PolledDriver::close() {
  if (closed_) return;
  GINNEL_ASSERT(!stepping_);  // a handler destroyed the Node that calls it
  if (engine_.is_open()) {
    wait_until([](const node::Node& core, Instant) { return core.outstanding() == 0; }, kLinger);
    engine_.leave();
    engine_.run();
  }
  closed_ = true;
}

}  // namespace ginnel::runtime
