#include "io/event_loop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/signals.h"

namespace ginnel::io {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends;
    EXPECT_EQ(::pipe(ends.data()), 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  void put() const { EXPECT_EQ(::write(in.get(), "x", 1), 1); }
  void take() const {
    char c;
    EXPECT_EQ(::read(out.get(), &c, 1), 1);
  }
  Fd out;
  Fd in;
};

std::unique_ptr<EventLoop> make_loop() { return std::move(EventLoop::make().value()); }

TEST(EventLoop, CallsTheHandlerOfAReadyDescriptor) {
  const auto loop = make_loop();
  const Pipe pipe;
  int calls = 0;
  ASSERT_TRUE(loop->watch(pipe.out.get(), {.read = true}, [&](Ready ready) {
    EXPECT_TRUE(ready.read);
    EXPECT_FALSE(ready.write);
    pipe.take();
    ++calls;
  }));
  loop->run_once(0ns);
  EXPECT_EQ(calls, 0);
  pipe.put();
  loop->run_once();
  EXPECT_EQ(calls, 1);
  loop->run_once(0ns);
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, InterestInWritingCanBeTurnedOnAndOff) {
  const auto loop = make_loop();
  const Pipe pipe;
  int calls = 0;
  ASSERT_TRUE(loop->watch(pipe.in.get(), {}, [&](Ready ready) { calls += ready.write ? 1 : 0; }));
  loop->run_once(0ns);
  EXPECT_EQ(calls, 0);
  loop->set_interest(pipe.in.get(), {.write = true});
  loop->run_once();
  EXPECT_EQ(calls, 1);
  loop->set_interest(pipe.in.get(), {});
  loop->run_once(0ns);
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, HandlerMayUnwatchItselfAndOthersOfTheSameRound) {
  const auto loop = make_loop();
  const Pipe one;
  const Pipe two;
  int calls = 0;
  const auto both = [&](Ready) {
    ++calls;
    loop->unwatch(one.out.get());
    loop->unwatch(two.out.get());
  };
  ASSERT_TRUE(loop->watch(one.out.get(), {.read = true}, both));
  ASSERT_TRUE(loop->watch(two.out.get(), {.read = true}, both));
  one.put();
  two.put();
  loop->run_once();
  loop->run_once(0ns);
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AlarmsRingInTheOrderOfTheirTimesAndOnce) {
  const auto loop = make_loop();
  std::string rung;
  const Alarm a = loop->add_alarm([&] { rung += 'a'; });
  const Alarm b = loop->add_alarm([&] { rung += 'b'; });
  const Alarm c = loop->add_alarm([&] { rung += 'c'; });
  const Instant start = now();
  loop->set(a, start + 3ms);
  loop->set(b, start + 1ms);
  loop->set(c, start + 2ms);
  loop->set(c, std::nullopt);
  while (rung.size() < 2) loop->run_once();
  EXPECT_EQ(rung, "ba");
  EXPECT_GE(now(), start + 3ms);
  loop->run_once(0ns);
  EXPECT_EQ(rung, "ba");
}

TEST(EventLoop, AlarmThatIsAlwaysDueDoesNotStarveDescriptors) {
  const auto loop = make_loop();
  const Pipe pipe;
  bool read = false;
  Alarm alarm;
  alarm = loop->add_alarm([&] { loop->set(alarm, now()); });
  loop->set(alarm, now());
  ASSERT_TRUE(loop->watch(pipe.out.get(), {.read = true}, [&](Ready) {
    pipe.take();
    read = true;
  }));
  pipe.put();
  loop->run_once();
  EXPECT_TRUE(read);
}

TEST(EventLoop, RemovedAlarmNeverRings) {
  const auto loop = make_loop();
  int rung = 0;
  const Alarm a = loop->add_alarm([&] { ++rung; });
  loop->set(a, now());
  loop->remove(a);
  loop->run_once(0ns);
  EXPECT_EQ(rung, 0);
}

TEST(EventLoop, TasksOfAnotherThreadRunInOrderOnTheLoopsThread) {
  const auto loop = make_loop();
  std::vector<int> ran;
  const auto home = std::this_thread::get_id();
  std::thread poster([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(loop->post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), home);
        ran.push_back(i);
      }));
    }
    loop->post([&] { loop->stop(); });
  });
  loop->run();
  poster.join();
  ASSERT_EQ(ran.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(ran));
}

TEST(EventLoop, PostingIsRefusedAtTheLimit) {
  const auto loop = make_loop();
  std::size_t ran = 0;
  for (std::size_t i = 0; i < EventLoop::kPostedMax; ++i) ASSERT_TRUE(loop->post([&] { ++ran; }));
  EXPECT_FALSE(loop->post([] {}));
  loop->run_once();
  EXPECT_EQ(ran, EventLoop::kPostedMax);
  EXPECT_TRUE(loop->post([] {}));
}

TEST(EventLoop, AfterRoundFollowsTheHandlers) {
  const auto loop = make_loop();
  std::string order;
  loop->post([&] { order += 'p'; });
  loop->after_round([&] { order += 'r'; });
  loop->run_once();
  EXPECT_EQ(order, "pr");
}

TEST(EventLoop, StopBeforeRunEndsItAtOnce) {
  const auto loop = make_loop();
  loop->stop();
  loop->run();
}

TEST(EventLoop, InsideAnotherLoopItsDescriptorIsReadableWhenADeadlineHasPassed) {
  const auto loop = make_loop();
  const auto is_readable = [&](int milliseconds) {
    pollfd wait{loop->fd(), POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) == 1;
  };
  int rung = 0;
  const Alarm alarm = loop->add_alarm([&] { ++rung; });
  loop->set(alarm, now() + 20ms);
  EXPECT_TRUE(loop->next_deadline());
  loop->arm_timer();
  EXPECT_FALSE(is_readable(0));
  EXPECT_TRUE(is_readable(5000));
  loop->run_once(0ns);
  EXPECT_EQ(rung, 1);
  EXPECT_FALSE(is_readable(0));
  EXPECT_FALSE(loop->next_deadline());
}

TEST(Signals, ArriveAsSomethingToRead) {
  const auto loop = make_loop();
  auto signals = Signals::block({SIGHUP, SIGTERM});
  ASSERT_TRUE(signals);
  std::vector<int> got;
  ASSERT_TRUE(loop->watch(signals->fd(), {.read = true}, [&](Ready) {
    while (const auto number = signals->next()) got.push_back(*number);
  }));
  ASSERT_EQ(::pthread_kill(::pthread_self(), SIGHUP), 0);
  ASSERT_EQ(::pthread_kill(::pthread_self(), SIGTERM), 0);
  while (got.size() < 2) loop->run_once();
  EXPECT_EQ(got, (std::vector<int>{SIGHUP, SIGTERM}));
}

TEST(Clock, NeverGoesBackAndWallIsInThisCentury) {
  const Instant a = now();
  EXPECT_LE(a, now());
  EXPECT_GT(wall().ns, 1'700'000'000'000'000'000);
}

TEST(Entropy, GivesAnotherKeyEachTime) { EXPECT_NE(entropy().value(), entropy().value()); }

}  // namespace
}  // namespace ginnel::io
