#include "sim/link.h"

#include <gtest/gtest.h>

#include <set>

namespace ginnel::sim {
namespace {

constexpr std::size_t kPackets = 20'000;

Link make(const LinkConfig& config) { return Link(config, Rng::from_seed(7)); }

// Fractions of many packets, one a millisecond.
struct Tally {
  double lost = 0;
  double doubled = 0;
  double corrupted = 0;
  double overtaken = 0;     // came out before one that went in earlier
  double longest_loss = 0;  // packets in a row
};

Tally tally(Link& link) {
  Tally out;
  Instant latest{};
  double run = 0;
  for (std::size_t i = 0; i < kPackets; ++i) {
    const Passage passage = link.enter(Instant{} + 1ms * static_cast<int>(i), 100);
    run = passage.count == 0 ? run + 1 : 0;
    out.longest_loss = std::max(out.longest_loss, run);
    if (passage.count == 0) ++out.lost;
    if (passage.count == 2) ++out.doubled;
    if (passage.count == 0) continue;
    if (passage.copies[0].corrupted) ++out.corrupted;
    if (passage.copies[0].at < latest) ++out.overtaken;
    latest = std::max(latest, passage.copies[0].at);
  }
  for (double* each : {&out.lost, &out.doubled, &out.corrupted, &out.overtaken}) *each /= kPackets;
  return out;
}

TEST(Link, WithoutFaultsOnlyDelays) {
  Link link = make({.delay = 25ms});
  const Passage passage = link.enter(Instant{} + 1s, 100);
  ASSERT_EQ(passage.count, 1U);
  EXPECT_EQ(passage.copies[0].at, Instant{} + 1025ms);
}

TEST(Link, LosesTheFractionItIsToldTo) {
  Link link = make({.loss = 0.1});
  EXPECT_NEAR(tally(link).lost, 0.1, 0.01);
}

TEST(Link, DoublesTheFractionItIsToldTo) {
  Link link = make({.duplicate = 0.2});
  EXPECT_NEAR(tally(link).doubled, 0.2, 0.015);
}

TEST(Link, CorruptsTheFractionItIsToldTo) {
  Link link = make({.corrupt = 0.05});
  EXPECT_NEAR(tally(link).corrupted, 0.05, 0.01);
}

TEST(Link, BurstsLoseManyInARowAtTheSameAverage) {
  // Gilbert-Elliott: the share of the bad state is enter / (enter + leave) = 1/11.
  Link bursts = make({.burst = {.enter = 0.01, .leave = 0.1, .loss = 1}});
  Link uniform = make({.loss = 1.0 / 11});
  const Tally in_bursts = tally(bursts);
  EXPECT_NEAR(in_bursts.lost, 1.0 / 11, 0.02);
  EXPECT_GE(in_bursts.longest_loss, 25);
  EXPECT_LE(tally(uniform).longest_loss, 10);
}

TEST(Link, JitterVariesTheDelayAndKeepsTheOrder) {
  Link link = make({.delay = 10ms, .jitter = 20ms});
  const Tally many = tally(link);
  EXPECT_EQ(many.overtaken, 0);
  std::set<std::int64_t> delays;
  for (int i = 0; i < 100; ++i) {
    const Instant in = Instant{} + 100s + 1s * i;
    const Nanoseconds delay = link.enter(in, 100).copies[0].at - in;
    EXPECT_GE(delay, 10ms);
    EXPECT_LE(delay, 30ms);
    delays.insert(delay.count());
  }
  EXPECT_GT(delays.size(), 90U);
}

TEST(Link, ReorderLetsLaterPacketsOvertake) {
  // Held for one and a half packets: the next one overtakes, unless it is held too.
  Link link = make({.reorder = 0.1, .reorder_delay = 1500us});
  EXPECT_NEAR(tally(link).overtaken, 0.1 * 0.9, 0.01);
}

TEST(Link, RateSpacesPacketsByTheirSize) {
  Link link = make({.rate_bits = 8'000'000});  // 1 byte per microsecond
  EXPECT_EQ(link.enter(Instant{}, 1000).copies[0].at, Instant{} + 1ms);
  EXPECT_EQ(link.enter(Instant{}, 500).copies[0].at, Instant{} + 1500us);
  EXPECT_EQ(link.enter(Instant{} + 10ms, 1000).copies[0].at, Instant{} + 11ms);
}

TEST(Link, DropsWhatItsQueueDoesNotHold) {
  Link link = make({.rate_bits = 8'000'000, .queue_bytes = 3000});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(link.enter(Instant{}, 1000).count, 1U);
  const Passage fourth = link.enter(Instant{}, 1000);
  EXPECT_EQ(fourth.count, 0U);
  EXPECT_EQ(fourth.reason, DropReason::kQueueFull);
  EXPECT_EQ(link.enter(Instant{} + 1ms, 1000).count, 1U);
}

TEST(Link, DropsWhatExceedsItsMtu) {
  Link link = make({.mtu_bytes = 1400});
  EXPECT_EQ(link.enter(Instant{}, 1400).count, 1U);
  EXPECT_EQ(link.enter(Instant{}, 1401).reason, DropReason::kTooBig);
}

TEST(Link, DownUntilTheDisturbanceEnds) {
  Link link = make({});
  link.disturb(Instant{}, {.until = Instant{} + 1s, .down = true});
  EXPECT_EQ(link.enter(Instant{} + 999ms, 100).reason, DropReason::kLinkDown);
  EXPECT_EQ(link.enter(Instant{} + 999ms, 100).count, 0U);
  EXPECT_EQ(link.enter(Instant{} + 1s, 100).count, 1U);
}

TEST(Link, CloggedHoldsAllAndReleasesThemTogetherInOrder) {
  Link link = make({.delay = 10ms});
  link.disturb(Instant{}, {.until = Instant{} + 1s, .clogged = true});
  EXPECT_EQ(link.enter(Instant{} + 100ms, 100).copies[0].at, Instant{} + 1010ms);
  EXPECT_EQ(link.enter(Instant{} + 900ms, 100).copies[0].at, Instant{} + 1010ms);
  EXPECT_EQ(link.enter(Instant{} + 1001ms, 100).copies[0].at, Instant{} + 1011ms);
}

TEST(Link, OverlappingDisturbancesEndEachAtItsTime) {
  Link link = make({.mtu_bytes = 1500});
  link.disturb(Instant{}, {.until = Instant{} + 2s, .mtu_bytes = 1300});
  link.disturb(Instant{}, {.until = Instant{} + 1s, .mtu_bytes = 1280});
  EXPECT_EQ(link.mtu_bytes(Instant{} + 500ms), 1280U);
  EXPECT_EQ(link.mtu_bytes(Instant{} + 1s), 1300U);
  EXPECT_EQ(link.mtu_bytes(Instant{} + 2s), 1500U);
}

TEST(Link, HealEndsEveryDisturbance) {
  Link link = make({});
  link.disturb(Instant{}, {.until = kForever, .down = true});
  EXPECT_TRUE(link.is_down(Instant{} + 1h));
  link.heal();
  EXPECT_FALSE(link.is_down(Instant{} + 1h));
}

}  // namespace
}  // namespace ginnel::sim
