#include "sim/gossip/spread.h"

#include <gtest/gtest.h>

namespace ginnel::sim {
namespace {

TEST(Spread, AChangeIsAlmostEverywhereWithinEightRounds) {
  const SpreadResult r =
      run_spread({.members = 100, .keys = 300, .changes = 4, .quiet = 20s});
  EXPECT_TRUE(r.all_have_all);
  ASSERT_EQ(r.rounds_most.size(), 4u);
  for (const double rounds : r.rounds_most) EXPECT_LE(rounds, 8.0);
  EXPECT_EQ(r.rounds_all.size(), 4u);
}

TEST(Spread, AnExchangeThatFindsNothingCostsADatagram) {
  const SpreadResult r =
      run_spread({.members = 20, .keys = 1000, .changes = 0, .quiet = 60s});
  EXPECT_EQ(r.differing, 0u);
  EXPECT_GT(r.bytes_per_exchange, 40);
  EXPECT_LE(r.bytes_per_exchange, 100);
  EXPECT_NEAR(r.exchanges_per_second, 0.1, 0.02);
}

// What rumors lose the exchanges repair.
TEST(Spread, EveryChangeArrivesThoughAThirdOfTheDatagramsIsLost) {
  const SpreadResult r = run_spread({.members = 40, .keys = 50, .loss = 0.3, .changes = 3});
  EXPECT_TRUE(r.all_have_all);
  EXPECT_EQ(r.rounds_all.size(), 3u);
}

}  // namespace
}  // namespace ginnel::sim
