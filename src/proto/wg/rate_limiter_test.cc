#include "proto/wg/rate_limiter.h"

#include <gtest/gtest.h>

namespace ginnel::wg {
namespace {

const Address kSource = Address::v4(192, 0, 2, 1);

TEST(RateLimiter, AllowsABurstOfFiveThenTwentyASecond) {
  RateLimiter limiter;
  Instant now{1};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.allow(now, kSource));
  EXPECT_FALSE(limiter.allow(now, kSource));
  int allowed = 0;
  for (int ms = 0; ms < 1000; ++ms) {
    now = now + 1ms;
    allowed += limiter.allow(now, kSource);
  }
  EXPECT_EQ(allowed, 20);
}

TEST(RateLimiter, CountsEachIpv4AddressAndEachIpv6NetworkOf64Bits) {
  RateLimiter limiter;
  const Instant now{1};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.allow(now, kSource));
  EXPECT_TRUE(limiter.allow(now, Address::v4(192, 0, 2, 2)));
  for (const char* text :
       {"2001:db8::1", "2001:db8::2", "2001:db8::3:4", "2001:db8::5", "2001:db8::6"}) {
    EXPECT_TRUE(limiter.allow(now, *Address::parse(text)));
  }
  EXPECT_FALSE(limiter.allow(now, *Address::parse("2001:db8::7")));
  EXPECT_TRUE(limiter.allow(now, *Address::parse("2001:db8:0:1::7")));
}

TEST(RateLimiter, RefusesNewcomersWhenFullOfBusySourcesAndForgetsIdleOnes) {
  RateLimiter limiter;
  Instant now{1};
  for (std::uint32_t i = 0; i < RateLimiter::kSourcesMax; ++i) {
    ASSERT_TRUE(limiter.allow(now, Address::v4(0x0a000000 + i)));
  }
  EXPECT_FALSE(limiter.allow(now, kSource));
  EXPECT_EQ(limiter.sources(), RateLimiter::kSourcesMax);
  now = now + 50ms;  // one token back: all are full again
  EXPECT_TRUE(limiter.allow(now, kSource));
  EXPECT_EQ(limiter.sources(), 1u);
}

}  // namespace
}  // namespace ginnel::wg
