#include "base/retry.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

constexpr Instant at(Nanoseconds t) { return Instant{} + t; }

// docs/wire/ginnel.md section 6: again after 250 ms, 500 ms, 1 s, then every 1 s.
TEST(RetrySchedule, DoublesUpToTheLongestWait) {
  RetrySchedule retry({.first = 250ms, .longest = 1s});
  EXPECT_FALSE(retry.take_due(at(0s)));
  retry.start(at(0s));
  EXPECT_TRUE(retry.take_due(at(0s)));
  EXPECT_FALSE(retry.take_due(at(249ms)));
  EXPECT_TRUE(retry.take_due(at(250ms)));
  EXPECT_EQ(retry.next(), at(750ms));
  EXPECT_TRUE(retry.take_due(at(750ms)));
  EXPECT_TRUE(retry.take_due(at(1750ms)));
  EXPECT_EQ(retry.next(), at(2750ms));
}

TEST(RetrySchedule, IsSilentOnceStoppedAndStartsAfresh) {
  RetrySchedule retry({.first = 250ms, .longest = 1s});
  retry.start(at(0s));
  EXPECT_TRUE(retry.take_due(at(0s)));
  retry.stop();
  EXPECT_FALSE(retry.take_due(at(10s)));
  EXPECT_EQ(retry.next(), std::nullopt);
  retry.start(at(20s));
  EXPECT_TRUE(retry.take_due(at(20s)));
  EXPECT_EQ(retry.next(), at(20250ms));
}

}  // namespace
}  // namespace ginnel
