// What probes tell of a path: how long it takes, and how much gets lost.
#include "proto/path/prober.h"

#include <gtest/gtest.h>

namespace ginnel::path {
namespace {

constexpr std::uint64_t kTransaction = 7;

class ProberTest : public ::testing::Test {
 protected:
  // One probe a second; `answered` after 40 ms, or never.
  void probe(bool answered, std::size_t mtu_bytes = 0) {
    const auto sequence = prober_.begin(now_, mtu_bytes);
    if (answered) {
      EXPECT_TRUE(prober_.take_answer(now_ + 40ms, kTransaction, sequence));
    }
    now_ = now_ + 1s;
  }
  Prober prober_{kTransaction};
  Instant now_{1'000'000'000};
};

TEST_F(ProberTest, TooFewProbesSayNothingAboutLoss) {
  for (int i = 0; i < 7; ++i) probe(true);
  EXPECT_EQ(prober_.loss(), std::nullopt);
  probe(true);
  EXPECT_EQ(prober_.loss(), 0.0);
}

TEST_F(ProberTest, AProbeWithoutAnAnswerCountsAsLostAfterASecond) {
  for (int i = 0; i < 15; ++i) probe(true);
  probe(false);
  probe(true);
  EXPECT_DOUBLE_EQ(*prober_.loss(), 1.0 / 17);
}

TEST_F(ProberTest, OnlyTheLast64Count) {
  for (int i = 0; i < 64; ++i) probe(false);
  for (int i = 0; i < 64; ++i) probe(true);
  EXPECT_EQ(prober_.loss(), 0.0);
}

TEST_F(ProberTest, ALateAnswerDoesNotUndoTheLoss) {
  for (int i = 0; i < 7; ++i) probe(true);
  const auto late = prober_.begin(now_, 0);
  now_ = now_ + 1s;
  probe(true);
  EXPECT_TRUE(prober_.take_answer(now_ + 900ms, kTransaction, late));
  EXPECT_DOUBLE_EQ(*prober_.loss(), 1.0 / 9);
}

TEST_F(ProberTest, ProbesOfAnMtuDoNotCount) {
  for (int i = 0; i < 8; ++i) probe(true);
  for (int i = 0; i < 20; ++i) probe(false, 1500);
  EXPECT_EQ(prober_.loss(), 0.0);
}

TEST_F(ProberTest, ManyUnansweredAtOnceAreAllCounted) {
  for (int i = 0; i < 8; ++i) probe(true);
  for (int i = 0; i < 16; ++i) (void)prober_.begin(now_, 0);
  now_ = now_ + 2s;
  (void)prober_.begin(now_, 0);
  EXPECT_DOUBLE_EQ(*prober_.loss(), 16.0 / 24);
}

TEST_F(ProberTest, WhatWasSentBeforeTheWayWasOpenIsForgotten) {
  for (int i = 0; i < 12; ++i) probe(false);
  (void)prober_.begin(now_, 0);
  prober_.forget_loss();
  now_ = now_ + 1s;
  EXPECT_EQ(prober_.loss(), std::nullopt);
  for (int i = 0; i < 8; ++i) probe(true);
  EXPECT_EQ(prober_.loss(), 0.0);
}

}  // namespace
}  // namespace ginnel::path
