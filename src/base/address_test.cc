#include "base/address.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

// RFC 5952 section 4 and RFC 4291 section 2.2.
TEST(Address, PrintsTheCanonicalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"2001:0db8:0:0:0:0:0:1", "2001:db8::1"}, {"::", "::"},          {"::1", "::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},                {"fe80::", "fe80::"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},  {"1.2.3.4", "1.2.3.4"}, {"::ffff:1.2.3.4", "1.2.3.4"},
      {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"}};
  for (const auto& [in, out] : cases) {
    const auto a = Address::parse(in);
    ASSERT_TRUE(a) << in;
    EXPECT_EQ(a->text(), out);
  }
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", ":", ":::",
                           "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "1:2:3:4:5:6:7:", "::1.2.3"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Endpoint, ReadsBothFamilies) {
  EXPECT_EQ(Endpoint::parse("203.0.113.9:7700")->port, 7700);
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:1")->text(), "[2001:db8::1]:1");
  for (const char* text : {"1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "2001:db8::1:7700x", "[1.2.3.4]:1",
                           "2001:db8::1:7", ":7"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Prefix, ContainsAndOverlaps) {
  const auto wide = *Prefix::parse("10.66.0.0/16");
  EXPECT_TRUE(wide.contains(*Address::parse("10.66.255.1")));
  EXPECT_FALSE(wide.contains(*Address::parse("10.67.0.1")));
  EXPECT_TRUE(wide.overlaps(*Prefix::parse("10.0.0.0/8")));
  EXPECT_TRUE(wide.overlaps(*Prefix::parse("10.66.3.0/24")));
  EXPECT_FALSE(wide.overlaps(*Prefix::parse("fd00::/8")));
  EXPECT_EQ(Prefix::parse("10.66.3.4/16")->text(), "10.66.0.0/16");
  EXPECT_EQ(Prefix::parse("::/0")->text(), "::/0");
  EXPECT_FALSE(Prefix::parse("10.0.0.0/33"));
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(Address::parse("100.64.1.1")->is_private());
  EXPECT_TRUE(Address::parse("fd12::1")->is_private());
  EXPECT_FALSE(Address::parse("100.128.0.1")->is_private());
  EXPECT_TRUE(Address::parse("255.255.255.255")->is_multicast_or_broadcast());
  EXPECT_TRUE(Address::parse("169.254.169.254")->is_link_local());
  EXPECT_TRUE(Address::parse("::1")->is_loopback());
  EXPECT_TRUE(Address::parse("0.0.0.0")->is_unspecified());
}

}  // namespace
}  // namespace ginnel
