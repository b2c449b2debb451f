#include "sim/gossip/scale.h"

#include <gtest/gtest.h>

namespace ginnel::sim {
namespace {

// SWIM section 3: what a member sends does not grow with the group.
TEST(Scale, TheCostOfAnIdleMemberDoesNotGrowWithTheCluster) {
  const auto per_member = [](std::uint32_t members) {
    const ScaleResult r = run_scale({.members = members, .quiet = 30s, .killed = 0});
    EXPECT_TRUE(r.joined);
    EXPECT_EQ(r.false_positives, 0u);
    return static_cast<double>(r.idle.datagrams) / members;
  };
  EXPECT_NEAR(per_member(40) / per_member(160), 1.0, 0.05);
}

TEST(Scale, ADeathIsKnownToAllSoonAfterTheFirst) {
  const ScaleResult r = run_scale({.members = 100, .quiet = 1s, .killed = 3});
  ASSERT_EQ(r.first.size(), 3u);
  ASSERT_EQ(r.all.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LE(r.first[i], 20s);
    EXPECT_LE(r.all[i] - r.first[i], 5s);
  }
  EXPECT_EQ(r.false_positives, 0u);
}

TEST(Scale, APartitionOfAnHourHealsWithinTwoMinutes) {
  const ScaleResult r = run_scale({.members = 40, .quiet = 1s, .killed = 0, .partition = 3600s});
  ASSERT_TRUE(r.healed);
  EXPECT_LE(*r.healed, 120s);
}

}  // namespace
}  // namespace ginnel::sim
