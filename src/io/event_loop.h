// One thread's loop over descriptors and deadlines (epoll and one timerfd).
//
//   auto loop = EventLoop::make();
//   (*loop)->watch(socket.fd(), {.read = true}, [&](Ready) { receive(); });
//   const Alarm alarm = (*loop)->add_alarm([&] { core.handle_timeout(io::now()); });
//   (*loop)->after_round([&] { (*loop)->set(alarm, drain(core, ...)); });
//   (*loop)->run();                         // until stop()
//
// Everything belongs to the loop's thread but post(), stop() and wake(), which any thread may call.
// Handlers may watch, unwatch, set and stop at will, also themselves. watch, set and post allocate;
// a round in which nothing is set or posted does not.
#pragma once
#include <ginnel/error.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/strong_int.h"
#include "base/timers.h"
#include "io/fd.h"
#include "io/wakeup.h"

namespace ginnel::io {

struct Interest {
  bool read = false;
  bool write = false;
};
// What a descriptor is ready for. An error or hang-up sets both: the next read or write says which.
struct Ready {
  bool read = false;
  bool write = false;
};
using Alarm = StrongInt<struct AlarmTag, std::uint64_t>;

class EventLoop {
 public:
  using Handler = std::function<void(Ready)>;
  using Task = std::function<void()>;

  // At the limit post() fails, and the poster decides.
  static constexpr std::size_t kPostedMax = 4096;

  // Errors: kInternal (no descriptors left).
  static Result<std::unique_ptr<EventLoop>, Error> make();
  EventLoop(const EventLoop&) = delete;

  // Level-triggered: called again as long as there is something left. Until unwatch(fd), which
  // must come before the descriptor is closed. Errors: kInternal (not a descriptor epoll takes).
  Result<void, Error> watch(int fd, Interest interest, Handler handler);
  void set_interest(int fd, Interest interest);  // of a watched descriptor
  void unwatch(int fd);  // of a watched one, or nothing happens

  // An alarm rings once, when its time has come, and is stopped then.
  Alarm add_alarm(Task task);
  void set(Alarm alarm, std::optional<Instant> at);  // nullopt: stop it
  void remove(Alarm alarm);

  // Called after the handlers of each round, before the loop waits: the place to drain cores.
  void after_round(Task task) { after_round_ = std::move(task); }

  // Runs the task on the loop's thread, in the order of posting. False: kPostedMax wait already.
  bool post(Task task);
  void stop();
  void wake() const { wakeup_.notify(); }

  void run();
  // One round: waits for something to happen, at most `max_wait` (rounded up to a millisecond).
  void run_once(std::optional<Nanoseconds> max_wait = std::nullopt);

  // For a loop inside another one: readable when run_once() has something to do. Deadlines count
  // once arm_timer() was called after they were set, as each round begins with.
  int fd() const { return epoll_.get(); }
  void arm_timer();
  std::optional<Instant> next_deadline() const { return deadlines_.next(); }

 private:
  struct Watched {
    std::uint32_t generation = 0;  // tells a reused descriptor's event from an old one
    std::shared_ptr<Handler> handler;  // shared: a handler may unwatch itself while it runs
  };
  EventLoop(Fd epoll, Fd timer, Wakeup wakeup)
      : epoll_(std::move(epoll)), timer_(std::move(timer)), wakeup_(std::move(wakeup)) {}
  Result<void, Error> watch_own();
  bool control(int operation, int fd, Interest interest, std::uint32_t generation) const;
  void dispatch(std::uint64_t tag, std::uint32_t events);
  void ring_alarms();
  void run_posted();

  Fd epoll_;
  Fd timer_;
  Wakeup wakeup_;
  std::map<int, Watched> watched_;
  std::uint32_t next_generation_ = 1;
  std::map<Alarm, std::shared_ptr<Task>> alarms_;
  DeadlineQueue<Alarm> deadlines_;  // of the alarms that are set
  std::uint64_t next_alarm_ = 1;
  std::optional<Instant> armed_;  // what timer_ is set to
  Task after_round_;
  std::atomic<bool> stopped_{false};
  std::mutex posted_mutex_;
  std::vector<Task> posted_;  // guarded by posted_mutex_
};

}  // namespace ginnel::io
