// A program's own node without a thread: the engine moves when its caller says so.
//
// Everything but stop() belongs to one thread, the caller's. Handlers run inside poll(),
// wait_until(), run() and close(), never inside with_core(): what that gave the core to say waits
// for the next poll(), and the descriptor is readable until then.
#pragma once
#include <atomic>

#include "api/driver.h"
#include "runtime/engine/engine.h"

namespace ginnel::runtime {

class PolledDriver final : public api::Driver {
 public:
  // The folder is this program's own; opens the sockets. Errors: those of Engine::open.
  static Result<std::unique_ptr<PolledDriver>, Error> open(Prepared prepared);
  ~PolledDriver() override { close(); }

  void start(EventHandler handler) override;
  bool with_core(const Work& work) override;
  bool wait_until(const Condition& condition, Nanoseconds limit) override;
  void run() override;
  void stop() override;
  void close() override;
  int fd() const override { return engine_.loop().fd(); }
  std::optional<std::chrono::steady_clock::time_point> next_deadline() const override;
  bool poll(std::chrono::steady_clock::time_point until) override;

 private:
  explicit PolledDriver(Prepared prepared) : engine_(std::move(prepared), Threads::kNone) {}
  void step(Nanoseconds max_wait);

  Engine engine_;
  bool stepping_ = false;  // a handler is running, or may be
  bool closed_ = false;
  std::atomic<bool> stopped_{false};
};

}  // namespace ginnel::runtime
