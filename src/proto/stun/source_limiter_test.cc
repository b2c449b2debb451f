#include "proto/stun/source_limiter.h"

#include <gtest/gtest.h>

namespace ginnel::stun {
namespace {

TEST(SourceLimiter, AllowsFiftyInAnySecond) {
  SourceLimiter limiter;
  const Address from = Address::v4(198, 51, 100, 7);
  std::vector<Instant> allowed;
  for (Instant now; now.ns < 5'000'000'000; now = now + 3ms) {
    if (limiter.allow(now, from)) allowed.push_back(now);
  }
  ASSERT_GE(allowed.size(), 200u);
  for (std::size_t i = 50; i < allowed.size(); ++i) EXPECT_GE(allowed[i] - allowed[i - 50], 1s);
}

TEST(SourceLimiter, CountsAnIpv6SiteAsOne) {
  SourceLimiter limiter;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(limiter.allow({}, *Address::parse("2001:db8:0:12::1")));
  EXPECT_FALSE(limiter.allow({}, *Address::parse("2001:db8:0:34::1")));
  EXPECT_TRUE(limiter.allow({}, *Address::parse("2001:db8:0:134::1")));
}

TEST(SourceLimiter, KeepsItsTableBoundedUnderSpoofedSources) {
  SourceLimiter limiter;
  int allowed = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i)
    allowed += limiter.allow({}, Address::v4(i << 8)) ? 1 : 0;
  EXPECT_EQ(limiter.sources(), SourceLimiter::kSourcesMax);
  EXPECT_EQ(allowed, static_cast<int>(SourceLimiter::kSourcesMax));
  EXPECT_TRUE(limiter.allow(Instant{} + 2s, Address::v4(250, 1, 1, 1)));
}

}  // namespace
}  // namespace ginnel::stun
