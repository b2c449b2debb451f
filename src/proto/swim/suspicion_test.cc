#include "proto/swim/suspicion.h"

#include <gtest/gtest.h>

#include "proto/swim/awareness.h"
#include "proto/swim/scaling.h"

namespace ginnel::swim {
namespace {

// memberlist suspicion_test.go, the table of remainingSuspicionTime: k = 3, 2 s to 30 s.
TEST(Suspicion, LastsAsTheTableOfMemberlistSays) {
  const SuspicionOptions options{.confirmations = 3, .min = 2s, .max = 30s};
  EXPECT_EQ(suspicion_duration(options, 0), 30s);
  EXPECT_EQ(suspicion_duration(options, 1), 16s);
  EXPECT_EQ(suspicion_duration(options, 2), 7810ms);
  EXPECT_EQ(suspicion_duration(options, 3), 2s);
  EXPECT_EQ(suspicion_duration(options, 4), 2s);
}

TEST(Suspicion, WithoutConfirmersLastsTheMinimum) {
  const Suspicion s({}, {.confirmations = 0, .min = 4s, .max = 24s}, "a");
  EXPECT_EQ(s.deadline(), Instant{} + 4s);
}

TEST(Suspicion, CountsEachConfirmerOnceAndTheAccuserNever) {
  Suspicion s({}, {.confirmations = 2, .min = 1s, .max = 6s}, "accuser");
  EXPECT_FALSE(s.confirm("accuser"));
  EXPECT_TRUE(s.confirm("b"));
  EXPECT_FALSE(s.confirm("b"));
  EXPECT_TRUE(s.confirm("c"));
  EXPECT_FALSE(s.confirm("d"));
  EXPECT_EQ(s.accusers(), (std::vector<std::string>{"accuser", "b", "c"}));
  EXPECT_EQ(s.deadline(), Instant{} + 1s);
}

// The figures of the LAN preset, worked out by hand.
TEST(Scaling, SuspicionTimeoutGrowsWithTheLogarithm) {
  EXPECT_EQ(suspicion_timeout(4, 3, 1s), 4s);
  EXPECT_EQ(suspicion_timeout(4, 10, 1s), 4s);
  EXPECT_EQ(suspicion_timeout(4, 32, 1s), 6020ms);
  EXPECT_EQ(suspicion_timeout(4, 100, 1s), 8s);
  EXPECT_EQ(suspicion_timeout(4, 1000, 1s), 12s);
  EXPECT_EQ(suspicion_timeout(4, 0, 1s), 4s);
}

TEST(Scaling, BroadcastsAreSentMoreOftenInLargerClusters) {
  EXPECT_EQ(retransmit_limit(3, 0), 0u);
  EXPECT_EQ(retransmit_limit(3, 1), 3u);
  EXPECT_EQ(retransmit_limit(3, 99), 6u);
  EXPECT_EQ(retransmit_limit(4, 1000), 16u);
}

TEST(Scaling, PushPullsBecomeRarerAbove32Members) {
  EXPECT_EQ(push_pull_scaled(30s, 32), 30s);
  EXPECT_EQ(push_pull_scaled(30s, 33), 60s);
  EXPECT_EQ(push_pull_scaled(30s, 64), 60s);
  EXPECT_EQ(push_pull_scaled(30s, 65), 90s);
  EXPECT_EQ(push_pull_scaled(30s, 1000), 180s);
}

TEST(Awareness, StaysBetweenZeroAndItsMaximum) {
  Awareness a(8);
  a.apply(-1);
  EXPECT_EQ(a.score(), 0);
  a.apply(3);
  EXPECT_EQ(a.scaled(1s), 4s);
  a.apply(100);
  EXPECT_EQ(a.score(), 7);
  Awareness off(1);
  off.apply(5);
  EXPECT_EQ(off.scaled(1s), 1s);
}

}  // namespace
}  // namespace ginnel::swim
