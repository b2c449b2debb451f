#include "runtime/embedded/embedded_driver.h"

#include "base/assert.h"
#include "io/clock.h"
#include "runtime/embedded/linger.h"
#include "runtime/signals_blocked.h"

namespace ginnel::runtime {
Result<std::unique_ptr<EmbeddedDriver>, Error> EmbeddedDriver::open(Prepared prepared) {
  std::unique_ptr<EmbeddedDriver> out(new EmbeddedDriver(std::move(prepared)));
  if (auto opened = out->engine_.open(); !opened) return Fail(opened.error());
  return out;
}

void EmbeddedDriver::start(EventHandler handler) {
  GINNEL_ASSERT(!thread_.joinable());
  engine_.on_event([this, handler = std::move(handler)](const node::Event& event) {
    handler(engine_.node(), io::now(), event);
    note_event();
  });
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run_engine(); });
}

void EmbeddedDriver::run_engine() {
  owner_ = std::this_thread::get_id();
  engine_.run();
  owner_ = std::thread::id();
  const std::lock_guard lock(mutex_);
  running_ = false;
  for (Call* call : calls_) call->done = true;
  calls_.clear();
  changed_.notify_all();
}

bool EmbeddedDriver::with_core(const Work& work) {
  if (is_own_thread()) {
    work(engine_.node(), io::now());
    return true;
  }
  Call call{work};
  std::unique_lock lock(mutex_);
  if (!running_) return false;
  calls_.push_back(&call);
  // One task serves all calls that wait, so the loop's queue cannot become full.
  if (calls_.size() == 1) engine_.loop().post([this] { run_calls(); });
  changed_.wait(lock, [&] { return call.done; });
  return call.ran;
}

void EmbeddedDriver::run_calls() {
  std::unique_lock lock(mutex_);
  auto calls = std::exchange(calls_, {});
  lock.unlock();
  for (Call* call : calls) call->work(engine_.node(), io::now());
  lock.lock();
  for (Call* call : calls) call->ran = call->done = true;
  changed_.notify_all();
}

void EmbeddedDriver::note_event() {
  const std::lock_guard lock(mutex_);
  ++events_;
  changed_.notify_all();
}

bool EmbeddedDriver::wait_until(const Condition& condition, Nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    std::unique_lock lock(mutex_);
    const std::uint64_t seen = events_;
    lock.unlock();
    bool holds = false;
    const bool ran =
        with_core([&](node::Node& core, Instant now) { holds = condition(core, now); });
    if (holds || !ran || is_own_thread()) return holds;
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return false;
    lock.lock();
    changed_.wait_until(lock, std::min(end, now + kLook), [&] { return events_ != seen; });
  }
}

void EmbeddedDriver::run() {
  if (is_own_thread()) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_; });
}

void EmbeddedDriver::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void EmbeddedDriver::close() {
  if (!thread_.joinable()) return;
  GINNEL_ASSERT(!is_own_thread());  // a handler destroyed the Node that calls it
  stop();
  wait_until([](const node::Node& core, Instant) { return core.outstanding() == 0; }, kLinger);
  engine_.loop().post([this] { engine_.leave(); });
  thread_.join();
}

}  // namespace ginnel::runtime
