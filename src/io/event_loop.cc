// A round:
// 1. The timer is armed for the earliest alarm, if that changed.
// 2. epoll_wait.
// 3. Handlers of ready descriptors, alarms whose time has come, posted tasks, after_round.
#include "io/event_loop.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "base/assert.h"
#include "io/clock.h"
#include "io/system_error.h"

namespace ginnel::io {
namespace {

// Descriptors served per round; more wait for the next one.
constexpr std::size_t kEventsPerRound = 64;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

std::uint64_t tag_of(int fd, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

int to_milliseconds(std::optional<Nanoseconds> wait) {
  if (!wait) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*wait).count());
}

}  // namespace

Result<std::unique_ptr<EventLoop>, Error> EventLoop::make() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Fail(system_error(errno, Errc::kInternal, "make an epoll instance"));
  // A timerfd, since the timeout of epoll_wait stands still while the machine sleeps.
  Fd timer(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return Fail(system_error(errno, Errc::kInternal, "make a timerfd"));
  auto wakeup = Wakeup::make();
  if (!wakeup) return Fail(wakeup.error());
  std::unique_ptr<EventLoop> loop(
      new EventLoop(std::move(epoll), std::move(timer), *std::move(wakeup)));
  if (auto done = loop->watch_own(); !done) return Fail(done.error());
  return loop;
}

Result<void, Error> EventLoop::watch_own() {
  auto done = watch(wakeup_.fd(), {.read = true}, [this](Ready) { wakeup_.acknowledge(); });
  if (!done) return done;
  return watch(timer_.get(), {.read = true}, [this](Ready) {
    std::uint64_t expirations = 0;
    [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &expirations, sizeof expirations);
    armed_.reset();
  });
}

bool EventLoop::control(int operation, int fd, Interest interest, std::uint32_t generation) const {
  epoll_event event{};
  if (interest.read) event.events |= EPOLLIN;
  if (interest.write) event.events |= EPOLLOUT;
  event.data.u64 = tag_of(fd, generation);
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

Result<void, Error> EventLoop::watch(int fd, Interest interest, Handler handler) {
  GINNEL_ASSERT(!watched_.contains(fd));
  const std::uint32_t generation = next_generation_++;
  if (!control(EPOLL_CTL_ADD, fd, interest, generation)) {
    return Fail(system_error(errno, Errc::kInternal, "watch a descriptor"));
  }
  watched_[fd] = {generation, std::make_shared<Handler>(std::move(handler))};
  return {};
}

void EventLoop::set_interest(int fd, Interest interest) {
  const auto it = watched_.find(fd);
  GINNEL_ASSERT(it != watched_.end());
  const bool done = control(EPOLL_CTL_MOD, fd, interest, it->second.generation);
  GINNEL_ASSERT(done);  // the descriptor was closed before unwatch
}

void EventLoop::unwatch(int fd) {
  if (watched_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

Alarm EventLoop::add_alarm(Task task) {
  const Alarm alarm(next_alarm_++);
  alarms_[alarm] = std::make_shared<Task>(std::move(task));
  return alarm;
}

void EventLoop::set(Alarm alarm, std::optional<Instant> at) {
  GINNEL_ASSERT(alarms_.contains(alarm));
  if (deadlines_.deadline(alarm) == at) return;
  deadlines_.stop(alarm);
  if (at) deadlines_.set(alarm, *at);
}

void EventLoop::remove(Alarm alarm) {
  deadlines_.stop(alarm);
  alarms_.erase(alarm);
}

bool EventLoop::post(Task task) {
  {
    const std::lock_guard lock(posted_mutex_);
    if (posted_.size() >= kPostedMax) return false;
    posted_.push_back(std::move(task));
  }
  wake();
  return true;
}

void EventLoop::stop() {
  stopped_.store(true);
  wake();
}

void EventLoop::run() {
  while (!stopped_.load()) run_once();
  stopped_.store(false);
}

void EventLoop::run_once(std::optional<Nanoseconds> max_wait) {
  arm_timer();
  std::array<epoll_event, kEventsPerRound> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsPerRound,
                                 to_milliseconds(max_wait));
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    dispatch(events[i].data.u64, events[i].events);
  }
  ring_alarms();
  run_posted();
  if (after_round_) after_round_();
}

void EventLoop::arm_timer() {
  const std::optional<Instant> next = deadlines_.next();
  if (next == armed_) return;
  itimerspec spec{};  // all zero stops it
  if (next) {
    const std::int64_t ns = std::max<std::int64_t>(next->ns, 1);
    spec.it_value.tv_sec = ns / kNanosecondsPerSecond;
    spec.it_value.tv_nsec = ns % kNanosecondsPerSecond;
  }
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  armed_ = next;
}

void EventLoop::dispatch(std::uint64_t tag, std::uint32_t events) {
  const int fd = static_cast<int>(static_cast<std::uint32_t>(tag));
  const auto it = watched_.find(fd);
  // Unwatched by another handler of this round; the number may stand for a new descriptor already.
  if (it == watched_.end() || it->second.generation != static_cast<std::uint32_t>(tag >> 32)) {
    return;
  }
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const std::shared_ptr<Handler> handler = it->second.handler;
  (*handler)({.read = broken || (events & EPOLLIN) != 0,
              .write = broken || (events & EPOLLOUT) != 0});
}

// Alarms that ring set themselves again: those wait for the next round, so that one which is always
// due cannot keep the loop from its descriptors.
void EventLoop::ring_alarms() {
  const Instant time = now();
  std::vector<Alarm> due;
  while (const auto alarm = deadlines_.take_expired(time)) due.push_back(*alarm);
  for (const Alarm alarm : due) {
    const auto it = alarms_.find(alarm);
    if (it == alarms_.end()) continue;  // removed by an alarm before it
    const std::shared_ptr<Task> task = it->second;
    (*task)();
  }
}

void EventLoop::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (const Task& task : tasks) task();
}

}  // namespace ginnel::io
