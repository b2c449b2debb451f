#include "base/timers.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

enum class Timer { kA, kB, kCount };

TEST(Timers, FireOnceInTime) {
  Timers<Timer> timers;
  timers.set(Timer::kA, Instant{10});
  timers.set(Timer::kB, Instant{5});
  EXPECT_EQ(timers.next(), Instant{5});
  EXPECT_FALSE(timers.take_expired(Timer::kA, Instant{9}));
  EXPECT_TRUE(timers.take_expired(Timer::kA, Instant{10}));
  EXPECT_FALSE(timers.take_expired(Timer::kA, Instant{11}));
}

TEST(DeadlineQueue, GivesTheEarliestAndForgetsTheStopped) {
  DeadlineQueue<int> queue;
  queue.set(1, Instant{10});
  queue.set(2, Instant{5});
  queue.set(1, Instant{4});
  queue.set(3, Instant{1});
  queue.stop(3);
  EXPECT_EQ(queue.next(), Instant{4});
  EXPECT_EQ(queue.take_expired(Instant{20}), 1);
  EXPECT_EQ(queue.take_expired(Instant{20}), 2);
  EXPECT_EQ(queue.take_expired(Instant{20}), std::nullopt);
}

}  // namespace
}  // namespace ginnel
