// What runs a node core for the library: a thread with sockets (runtime/embedded), or the
// simulator.
//
// The core belongs to one thread, the driver's. Every method may be called from any thread; those
// that would wait for the driver's thread return at once when they are called on it. A driver
// without a thread (runtime/embedded/polled_driver.h) is its caller's, but for stop().
#pragma once
#include <functional>

#include "node/node.h"

namespace ginnel::api {

class Driver {
 public:
  using Work = std::function<void(node::Node& core, Instant now)>;
  using Condition = std::function<bool(const node::Node& core, Instant now)>;
  using EventHandler =
      std::function<void(node::Node& core, Instant now, const node::Event& event)>;

  virtual ~Driver() = default;

  // From now on the core runs, and its events come to `handler` on the driver's thread. Once.
  virtual void start(EventHandler handler) = 0;
  // Runs the work on the driver's thread and returns when it is done. False: the driver is closed,
  // the work did not run.
  virtual bool with_core(const Work& work) = 0;
  // Returns when the condition holds (true), or when `limit` has passed or the driver is closed.
  // It is asked on the driver's thread, after events.
  virtual bool wait_until(const Condition& condition, Nanoseconds limit) = 0;
  // Returns after stop(), also one that came before.
  virtual void run() = 0;
  virtual void stop() = 0;
  // Lets what was sent arrive, says goodbye and ends the driver's thread: no event comes after.
  // Never from the driver's thread. A second call does nothing.
  virtual void close() = 0;

  // Of a driver that has no thread: what to wait for, until when, and one step. False: it has one.
  virtual int fd() const { return -1; }
  virtual std::optional<std::chrono::steady_clock::time_point> next_deadline() const {
    return std::nullopt;
  }
  virtual bool poll(std::chrono::steady_clock::time_point until) {
    (void)until;
    return false;
  }
};

}  // namespace ginnel::api
