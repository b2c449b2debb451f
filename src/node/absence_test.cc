#include "node/absence.h"

#include <gtest/gtest.h>

namespace ginnel::node {
namespace {

const Instant kStart{1'000'000'000};

TEST(Absence, CountsWhileSomethingWaitsAndNobodyIsHeard) {
  Absence absence;
  for (int i = 0; i <= 30; ++i) absence.look(kStart + i * 1s, std::nullopt, true);
  EXPECT_EQ(absence.silent(), 30s);
  EXPECT_EQ(absence.next_look(), kStart + 31s);
}

TEST(Absence, APeerThatIsHeardIsThere) {
  Absence absence;
  for (int i = 0; i <= 60; ++i) absence.look(kStart + i * 1s, kStart + (i / 10) * 10s, true);
  EXPECT_LE(absence.silent(), 10s);
}

TEST(Absence, WithNothingThatWaitsNobodyIsMissed) {
  Absence absence;
  absence.look(kStart, std::nullopt, true);
  absence.look(kStart + 1s, std::nullopt, false);
  EXPECT_EQ(absence.silent(), 0s);
  EXPECT_FALSE(absence.next_look());
  absence.look(kStart + 100s, std::nullopt, true);
  EXPECT_EQ(absence.silent(), 0s);
}

// Whoever was asleep did not listen.
TEST(Absence, ASleepOfOursIsNotTheirSilence) {
  Absence absence;
  absence.look(kStart, std::nullopt, true);
  absence.look(kStart + 60s, std::nullopt, true);
  EXPECT_EQ(absence.silent(), 2s);
}

}  // namespace
}  // namespace ginnel::node
