#include "proto/control/gossip.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;
using Kind = Gossip::Kind;

const Address kFar = *Address::parse("fd00::1");

TEST(GossipFrame, RoundTripsEachKind) {
  for (const Kind kind : {Kind::kDatagram, Kind::kLane, Kind::kLaneBack, Kind::kForward,
                          Kind::kForwarded}) {
    Gossip gossip{.kind = kind, .address = {}, .data = bytes_of("hello")};
    if (gossip.has_address()) gossip.address = kFar;
    const ByteVector bytes = encoded(gossip);
    expect_round_trip(bytes, parse_gossip);
    EXPECT_EQ(text_of(parse_gossip(bytes)->data), "hello");
    EXPECT_EQ(parse_gossip(bytes)->address, gossip.address);
  }
  expect_round_trip(encoded(Gossip{}), parse_gossip);
}

TEST(GossipFrame, EveryTruncatedAddressIsRefused) {
  const ByteVector bytes = encoded(Gossip{.kind = Kind::kForward, .address = kFar, .data = {}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse_gossip(ConstBytes(bytes).first(size)).error(), Drop::kTooShort);
  }
}

TEST(GossipFrame, RefusesUnknownKindsAndBytesAfterNothing) {
  EXPECT_EQ(parse_gossip(*from_hex("06")).error(), Drop::kBadField);
  EXPECT_EQ(parse_gossip(*from_hex("0000")).error(), Drop::kTrailing);
}

}  // namespace
}  // namespace ginnel::control
