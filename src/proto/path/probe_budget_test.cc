#include "proto/path/probe_budget.h"

#include <gtest/gtest.h>

#include "proto/path/reason.h"

namespace ginnel::path {
namespace {

const Address kVictim = Address::v4(192, 0, 2, 1);

TEST(ProbeBudget, CapsWhatASilentAddressGetsInAMinute) {
  ProbeBudget budget({});
  std::size_t sent = 0;
  for (Instant now; now.ns < 59'000'000'000; now = now + 100ms)
    sent += budget.allow(now, kVictim) ? 1 : 0;
  EXPECT_EQ(sent, ProbeBudget::kPerSilentAddress);
  EXPECT_TRUE(budget.allow(Instant{} + 61s, kVictim));
}

TEST(ProbeBudget, LiftsTheCapOfAnAddressThatAnswered) {
  ProbeBudget budget({});
  budget.note_alive({}, kVictim);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.allow({}, kVictim)) << i;
  Instant later = Instant{} + ProbeBudget::kAliveFor + 1s;
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i, later = later + 10ms) sent += budget.allow(later, kVictim) ? 1 : 0;
  EXPECT_EQ(sent, ProbeBudget::kPerSilentAddress);
}

TEST(ProbeBudget, HoldsAllProbesOfTheNodeToItsRate) {
  ProbeBudget budget({.probes_per_second = 100});
  std::size_t sent = 0;
  std::uint32_t address = 0x01000000;
  for (Instant now; now.ns < 10'000'000'000; now = now + 1ms) {
    sent += budget.allow(now, Address::v4(address++ % 1000 << 8)) ? 1 : 0;
  }
  EXPECT_LE(sent, 1000u + 25u);
  EXPECT_GE(sent, 1000u);
}

TEST(ProbeBudget, KeepsItsTableBounded) {
  ProbeBudget budget({.probes_per_second = 1'000'000});
  for (std::uint32_t i = 0; i < 10'000; ++i) (void)budget.allow({}, Address::v4(0x01000000 + i));
  EXPECT_EQ(budget.addresses(), ProbeBudget::kAddressesMax);
  EXPECT_TRUE(budget.allow(Instant{} + 61s, kVictim));
}

TEST(Reason, EachHasAStableCodeAndAText) {
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(Reason::kCount); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_TRUE(reason_code(reason).starts_with("R_"));
    EXPECT_FALSE(reason_text(reason).empty());
    EXPECT_EQ(reason_fix(reason).empty(), reason == Reason::kOk);
  }
  EXPECT_EQ(reason_code(Reason::kNoPath), "R_NO_PATH");
}

}  // namespace
}  // namespace ginnel::path
