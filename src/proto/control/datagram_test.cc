#include "proto/control/datagram.h"

#include <gtest/gtest.h>

#include "proto/control/ping.h"
#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

TEST(Datagram, RoundTripsWithAndWithoutData) {
  for (const char* data : {"", "hello"}) {
    const ByteVector bytes = encoded(Datagram{"chat", bytes_of(data)});
    expect_round_trip(bytes, parse_datagram);
    EXPECT_EQ(parse_datagram(bytes)->channel, "chat");
    EXPECT_EQ(text_of(parse_datagram(bytes)->data), data);
  }
}

TEST(Datagram, EveryTruncatedChannelNameIsRefused) {
  const ByteVector bytes = encoded(Datagram{"chat", {}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse_datagram(ConstBytes(bytes).first(size)).error(), Drop::kTooShort);
  }
}

TEST(Datagram, RefusesNoNameAndTooLongOnes) {
  EXPECT_EQ(parse_datagram(*from_hex("00ff")).error(), Drop::kBadField);
  ByteVector bytes(66, std::byte{'c'});
  bytes[0] = std::byte{65};
  EXPECT_EQ(parse_datagram(bytes).error(), Drop::kTooLong);
}

TEST(Ping, RoundTripsWithItsPaddingAndSoDoesTheAnswer) {
  const ByteVector padding(kPingPaddingBytesMax, std::byte{9});
  const Ping ping{1, 2, 3, padding};
  const ByteVector bytes = encoded(ping);
  expect_round_trip(bytes, parse_ping);
  expect_round_trip(bytes, parse_pong);
  EXPECT_EQ(encoded(Pong{*parse_ping(bytes)}), bytes);
}

TEST(Ping, RefusesTruncationsAndTooMuchPadding) {
  ByteVector bytes = encoded(Ping{1, 2, 3, {}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse_ping(ConstBytes(bytes).first(size)).error(), Drop::kTooShort);
  }
  bytes.resize(20 + kPingPaddingBytesMax + 1);
  EXPECT_EQ(parse_ping(bytes).error(), Drop::kTooLong);
}

}  // namespace
}  // namespace ginnel::control
