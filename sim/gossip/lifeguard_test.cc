#include "sim/gossip/lifeguard.h"

#include <gtest/gtest.h>

#include <algorithm>

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

// Lifeguard section V-C: each part helps, all together most. bench/gossip measures it at full size.
TEST(Lifeguard, HasFarFewerFalsePositivesThanSwimByEitherRules) {
  const IntervalResult swim = run_interval(small(LifeguardPart::kNone));
  EXPECT_GE(swim.false_positives, 1000u);
  const std::pair<LifeguardRules, std::uint64_t> wanted[] = {{LifeguardRules::kMemberlist, 20},
                                                             {LifeguardRules::kPaper, 50}};
  for (const auto& [rules, times] : wanted) {
    LifeguardOptions options = small(LifeguardPart::kAll);
    options.rules = rules;
    const IntervalResult all = run_interval(options);
    EXPECT_LE(all.false_positives * times, swim.false_positives);
    EXPECT_LE(all.false_positives_at_healthy, all.false_positives);
  }
}

// Lifeguard section V-B: what it gains must not cost the detection of those who are gone.
TEST(Lifeguard, TheMedianOfFirstDetectionIsAtMostATenthAboveSwims) {
  const auto median = [](LifeguardPart part) {
    LifeguardOptions options = small(part);
    options.silent = 60s;
    options.duration = 40s;
    ThresholdResult r = run_threshold(options);
    EXPECT_EQ(r.missed, 0u);
    std::ranges::sort(r.first);
    return r.first[r.first.size() / 2];
  };
  EXPECT_LE(median(LifeguardPart::kAll) * 10, median(LifeguardPart::kNone) * 11);
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
