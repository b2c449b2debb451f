#include "proto/control/hello.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

constexpr std::size_t kHelloFlagsAt = 2;

Hello with_chain(ConstBytes chain) {
  Hello hello;
  hello.holds_your_certificate = true;
  hello.features = 5;
  hello.epoch = 0x1000;
  hello.chain = chain;
  return hello;
}

TEST(Hello, RoundTripsWithChainHashOrNothing) {
  const ByteVector chain = encoded(node_chain());
  Hello by_hash = with_chain({});
  by_hash.leaf_hash = certificate_hash(encoded(node_certificate()));
  for (const Hello& hello : {with_chain(chain), by_hash, with_chain({})}) {
    const ByteVector bytes = encoded(hello);
    expect_round_trip(bytes, parse_hello);
    const auto parsed = parse_hello(bytes);
    EXPECT_TRUE(parsed->holds_your_certificate);
    EXPECT_EQ(parsed->has_certificate(), hello.has_certificate());
    EXPECT_EQ(parsed->leaf_hash, hello.leaf_hash);
    EXPECT_TRUE(equal(parsed->chain, hello.chain));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(parse_hello(ConstBytes(bytes).first(size))) << size;
    }
  }
}

// Section 6: later versions may add fields behind the chain.
TEST(Hello, SkipsWhatALaterVersionAdds) {
  ByteVector bytes = encoded(with_chain({}));
  bytes.resize(bytes.size() + 9, std::byte{1});
  EXPECT_TRUE(parse_hello(bytes));
}

// docs/wire/ginnel.md section 6, bit 3.
TEST(Hello, SaysThatItWantsAnAnswer) {
  const ByteVector chain = encoded(node_chain());
  Hello hello = with_chain(chain);
  hello.wants_answer = true;
  const ByteVector bytes = encoded(hello);
  EXPECT_TRUE(parse_hello(bytes)->wants_answer);
}

TEST(Hello, RefusesFlagsThatContradictTheChain) {
  const ByteVector chain = encoded(node_chain());
  ByteVector bytes = encoded(with_chain(chain));
  for (const int flags : {2, 4, 6, 16, 0x80}) {  // hash, none, both, unknown ones
    bytes[kHelloFlagsAt] = static_cast<std::byte>(flags);
    EXPECT_EQ(parse_hello(bytes).error(), Drop::kBadField) << flags;
  }
  bytes = encoded(with_chain({}));
  bytes[kHelloFlagsAt] = std::byte{0};  // a chain is promised, none is there
  EXPECT_EQ(parse_hello(bytes).error(), Drop::kBadField);
}

TEST(Hello, SpeaksTheSmallerOfBothGreatestVersions) {
  Hello mine;
  mine.version_max = 3;
  mine.features = 0b0110;
  Hello theirs;
  theirs.version_max = 2;
  theirs.features = 0b1100;
  const auto both = negotiate(mine, theirs);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->version, 2);
  EXPECT_EQ(both->features, 0b0100u);
  mine.version_min = 3;
  EXPECT_FALSE(negotiate(mine, theirs));
  EXPECT_FALSE(negotiate(theirs, mine));
}

TEST(Hello, RefusesAnEmptyRangeOfVersions) {
  Hello hello;
  hello.version_min = 2;
  EXPECT_EQ(parse_hello(encoded(hello)).error(), Drop::kBadField);
}

TEST(Refused, RoundTripsAlsoWithACodeOfALaterVersion) {
  const Refused refused{FrameType::kJoin, static_cast<RefusedCode>(900), "no"};
  const ByteVector bytes = encoded(refused);
  expect_exact_size(bytes, parse_refused);
  expect_round_trip(bytes, parse_refused);
  EXPECT_EQ(parse_refused(bytes)->text, "no");
}

// The text is shown to people: no escape sequence may hide in it.
TEST(Refused, RefusesTextThatIsNotPrintable) {
  const Refused refused{FrameType::kJoin, RefusedCode::kBusy, "\x1b[2J"};
  EXPECT_EQ(parse_refused(encoded(refused)).error(), Drop::kBadField);
}

TEST(Goodbye, RoundTripsAndRefusesOtherReasons) {
  ByteVector bytes = encoded(Goodbye{Goodbye::Reason::kRestarts, 1500});
  expect_exact_size(bytes, parse_goodbye);
  expect_round_trip(bytes, parse_goodbye);
  bytes[0] = std::byte{2};
  EXPECT_EQ(parse_goodbye(bytes).error(), Drop::kBadField);
}

}  // namespace
}  // namespace ginnel::control
