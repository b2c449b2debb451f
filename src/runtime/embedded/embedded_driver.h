// A program's own node: the engine on a thread of its own, without TUN device and control socket.
//
// Thread-safe as api::Driver says. Callers of other threads wait in a queue for the engine's thread;
// each waits with one call, so the queue is as long as the program has threads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "api/driver.h"
#include "runtime/engine/engine.h"

namespace ginnel::runtime {

class EmbeddedDriver final : public api::Driver {
 public:
  // The folder is this program's own; opens the sockets. Errors: those of Engine::open.
  static Result<std::unique_ptr<EmbeddedDriver>, Error> open(Prepared prepared);
  ~EmbeddedDriver() override { close(); }

  void start(EventHandler handler) override;
  bool with_core(const Work& work) override;
  bool wait_until(const Condition& condition, Nanoseconds limit) override;
  void run() override;
  void stop() override;
  void close() override;

 private:
  struct Call {
    const Work& work;
    bool done = false;
    bool ran = false;
  };

  explicit EmbeddedDriver(Prepared prepared) : engine_(std::move(prepared)) {}
  bool is_own_thread() const { return owner_.load() == std::this_thread::get_id(); }
  void run_engine();
  void run_calls();
  void note_event();

  Engine engine_;
  std::thread thread_;
  std::atomic<std::thread::id> owner_{};  // of thread_, while it runs

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Call*> calls_;
  bool running_ = false;    // the thread takes calls
  bool stopped_ = false;
  std::uint64_t events_ = 0;
};

}  // namespace ginnel::runtime
