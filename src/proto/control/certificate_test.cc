#include "proto/control/certificate.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

// Offsets of docs/wire/ginnel.md section 5.
constexpr std::size_t kRoleAt = 1;
constexpr std::size_t kFlagsAt = 2;
constexpr std::size_t kNameAt = 95;

TEST(Certificate, RoundTrips) {
  for (const Certificate& c : {hub_certificate(), node_certificate()}) {
    const auto parsed = parse_certificate(encoded(c));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, c);
    expect_exact_size(encoded(c), parse_certificate);
  }
}

TEST(Certificate, GreatestOneFits) {
  Certificate c = hub_certificate();
  c.name = std::string(kNameBytesMax, 'a');
  c.tags.clear();
  for (int i = 0; i < 16; ++i) {
    c.tags.push_back({std::string(1, static_cast<char>('a' + i)), std::string(13, 'x')});
  }
  sign_certificate(c, network_secret());
  const ByteVector bytes = encoded(c);
  EXPECT_LE(bytes.size(), Certificate::kBytesMax);
  expect_round_trip(bytes, parse_certificate);
}

TEST(Certificate, RefusesTagsBeyondTheirLimits) {
  Certificate c = node_certificate();
  c.tags = {{"a", std::string(255, 'x')}};  // 258 bytes
  EXPECT_EQ(parse_certificate(encoded(c)).error(), Drop::kTooLong);
  c.tags = {{std::string(65, 'k'), ""}};
  EXPECT_EQ(parse_certificate(encoded(c)).error(), Drop::kBadField);
  c.tags = {{"", "x"}};
  EXPECT_EQ(parse_certificate(encoded(c)).error(), Drop::kBadField);
}

// One encoding each: a signature is checked over re-written bytes.
TEST(Certificate, RefusesTagsOutOfOrderOrTwice) {
  Certificate c = node_certificate();
  c.tags = {{"b", ""}, {"a", ""}};
  EXPECT_EQ(parse_certificate(encoded(c)).error(), Drop::kBadField);
  c.tags = {{"a", "1"}, {"a", "2"}};
  EXPECT_EQ(parse_certificate(encoded(c)).error(), Drop::kBadField);
}

TEST(Certificate, RefusesOtherVersionsRolesAndFlags) {
  const ByteVector good = encoded(node_certificate());
  ByteVector bad = good;
  bad[0] = std::byte{2};
  EXPECT_EQ(parse_certificate(bad).error(), Drop::kBadVersion);
  bad = good;
  bad[kRoleAt] = std::byte{'X'};
  EXPECT_EQ(parse_certificate(bad).error(), Drop::kBadField);
  bad = good;
  bad[kFlagsAt] |= std::byte{4};
  EXPECT_EQ(parse_certificate(bad).error(), Drop::kBadField);
}

TEST(Certificate, RefusesNamesThatAreNoDnsLabel) {
  for (const char* name : {"", "-a", "a-", "Alice", "a.b", "a_b", "a b", "\xc3\xa9"}) {
    Certificate c = node_certificate();
    c.name = name;
    EXPECT_EQ(parse_certificate(encoded(c)).error(), Drop::kBadField) << name;
  }
  Certificate c = node_certificate();
  c.name = std::string(64, 'a');
  EXPECT_FALSE(parse_certificate(encoded(c)));
  EXPECT_EQ(encoded(node_certificate())[kNameAt], std::byte{5});
}

TEST(Certificate, RefusesDelegationsWithHostBitsOrUnknownPowers) {
  Certificate c = hub_certificate();
  ByteVector bytes = encoded(c);
  const std::size_t delegation = bytes.size() - 64 - 10;
  bytes[delegation] |= std::byte{8};
  EXPECT_EQ(parse_certificate(bytes).error(), Drop::kBadField);
  bytes = encoded(c);
  bytes[delegation + 4] = std::byte{1};  // 10.66.0.1/16
  EXPECT_EQ(parse_certificate(bytes).error(), Drop::kBadField);
  bytes = encoded(c);
  bytes[delegation + 5] = std::byte{33};
  EXPECT_EQ(parse_certificate(bytes).error(), Drop::kBadField);
}

TEST(Certificate, SignatureCoversEveryByteAndTheNetwork) {
  const Certificate good = node_certificate();
  const auto hub = public_of(hub_identity());
  EXPECT_TRUE(signed_by(good, network(), hub));
  const auto other = public_of(secret_of<crypto::NetworkSecret>(0x99));
  EXPECT_FALSE(signed_by(good, other, hub));
  const ByteVector bytes = encoded(good);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ByteVector changed = bytes;
    changed[i] ^= std::byte{1};
    const auto parsed = parse_certificate(changed);
    EXPECT_FALSE(parsed && signed_by(*parsed, network(), hub)) << i;
  }
}

TEST(Certificate, HashNamesTheExactBytes) {
  const ByteVector bytes = encoded(node_certificate());
  EXPECT_EQ(certificate_hash(bytes), certificate_hash(bytes));
  EXPECT_NE(certificate_hash(bytes), certificate_hash(ConstBytes(bytes).first(bytes.size() - 1)));
}

}  // namespace
}  // namespace ginnel::control
