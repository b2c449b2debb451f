#include "proto/relay/token_bucket.h"

#include <gtest/gtest.h>

#include <limits>

namespace ginnel::relay {
namespace {

constexpr Instant kStart{1'000'000'000};

TEST(TokenBucket, AllowsTheBurstAtOnceAndNoByteMore) {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 500}, kStart);
  EXPECT_TRUE(bucket.take(kStart, 500));
  EXPECT_FALSE(bucket.take(kStart, 1));
}

TEST(TokenBucket, RefusingTakesNothing) {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 500}, kStart);
  EXPECT_FALSE(bucket.take(kStart, 501));
  EXPECT_TRUE(bucket.take(kStart, 500));
}

TEST(TokenBucket, EarnsItsRateHoweverOftenItIsAsked) {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 500}, kStart);
  ASSERT_TRUE(bucket.take(kStart, 500));
  std::uint64_t taken = 0;
  for (Instant now = kStart; now <= kStart + 1s; now = now + 100us) {
    if (bucket.take(now, 1)) ++taken;
  }
  EXPECT_EQ(taken, 1000u);
}

TEST(TokenBucket, NeverSavesMoreThanTheBurst) {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 500}, kStart);
  const Instant late{std::numeric_limits<std::int64_t>::max()};
  EXPECT_FALSE(bucket.take(late, 501));
  EXPECT_TRUE(bucket.take(late, 500));
}

TEST(TokenBucket, TimeThatGoesBackEarnsNothing) {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 500}, kStart);
  ASSERT_TRUE(bucket.take(kStart + 1s, 500));
  EXPECT_FALSE(bucket.take(kStart, 1));
  EXPECT_FALSE(bucket.take(kStart + 1s, 1));
}

TEST(TokenBucket, GreatestNumbersDoNotOverflow) {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  TokenBucket bucket({.bytes_per_second = most, .burst_bytes = most}, kStart);
  EXPECT_TRUE(bucket.take(kStart, TokenBucket::kLimitBytes));
  EXPECT_FALSE(bucket.take(kStart, 1'000'000));
  EXPECT_TRUE(bucket.take(kStart + 1s, TokenBucket::kLimitBytes));
}

}  // namespace
}  // namespace ginnel::relay
