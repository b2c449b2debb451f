#include "sim/gossip/lifeguard.h"

#include <gtest/gtest.h>

namespace ginnel::sim {
namespace {

LifeguardOptions small(LifeguardPart part) {
  return {.members = 48,
          .part = part,
          .concurrent = 8,
          .silent = 16384ms,
          .between = 64ms,
          .duration = 90s};
}

// Lifeguard section V-C: each part helps, all together most.
TEST(Lifeguard, HasFarFewerFalsePositivesThanSwim) {
  const IntervalResult swim = run_interval(small(LifeguardPart::kNone));
  const IntervalResult all = run_interval(small(LifeguardPart::kAll));
  EXPECT_GE(swim.false_positives, 100u);
  EXPECT_LE(all.false_positives * 10, swim.false_positives);
  EXPECT_LE(all.false_positives_at_healthy, all.false_positives);
}

TEST(Lifeguard, FindsEveryoneWhoFellSilentAboutAsSoonAsSwim) {
  LifeguardOptions options = small(LifeguardPart::kAll);
  options.silent = 60s;
  const ThresholdResult all = run_threshold(options);
  EXPECT_EQ(all.missed, 0u);
  ASSERT_EQ(all.first.size(), 8u);
  ASSERT_EQ(all.all.size(), 8u);
  for (const Nanoseconds first : all.first) EXPECT_LE(first, 20s);
  for (const Nanoseconds each : all.all) EXPECT_LE(each, 25s);
}

TEST(Lifeguard, TheSameSeedGivesTheSameNumbers) {
  LifeguardOptions options = small(LifeguardPart::kBuddy);
  options.duration = 30s;
  const IntervalResult a = run_interval(options), b = run_interval(options);
  EXPECT_EQ(a.false_positives, b.false_positives);
  EXPECT_EQ(a.suspicions, b.suspicions);
  EXPECT_EQ(a.traffic.datagram_bytes, b.traffic.datagram_bytes);
  options.seed = 2;
  EXPECT_NE(run_interval(options).traffic.datagram_bytes, a.traffic.datagram_bytes);
}

TEST(Lifeguard, NobodyIsSuspectedWhenNobodyFallsSilent) {
  LifeguardOptions options = small(LifeguardPart::kNone);
  options.concurrent = 0;
  options.duration = 30s;
  EXPECT_EQ(run_interval(options).suspicions, 0u);
}

}  // namespace
}  // namespace ginnel::sim
