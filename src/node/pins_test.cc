#include "node/pins.h"

#include <gtest/gtest.h>

namespace ginnel::node {
namespace {

PeerRecord record(std::uint8_t n, std::string name, std::vector<Address> addresses) {
  PeerRecord out;
  out.id = Id(Role::kPeer, {n});
  out.name = std::move(name);
  out.addresses = std::move(addresses);
  return out;
}

const Address kThree = Address::v4(10, 66, 0, 3);
const Address kFour = Address::v4(10, 66, 0, 4);

// docs/design.md section 4: a name or overlay address stays with whom it was first seen with.
TEST(Pins, ANameStaysWithItsFirstHolder) {
  Pins pins;
  ASSERT_TRUE(pins.claim(record(1, "bob", {kThree})));
  const auto thief = record(2, "bob", {kFour});
  EXPECT_EQ(pins.claim(thief).error(), PinDrop::kClash);
  EXPECT_EQ(pins.clash_of(thief)->holder, Id(Role::kPeer, {1}));
  EXPECT_EQ(pins.holder_of(kFour), std::nullopt);
}

TEST(Pins, AnAddressStaysWithItsFirstHolderAndClaimsAreAllOrNothing) {
  Pins pins;
  ASSERT_TRUE(pins.claim(record(1, "bob", {kThree})));
  EXPECT_EQ(pins.claim(record(2, "carol", {kFour, kThree})).error(), PinDrop::kClash);
  EXPECT_EQ(pins.holder_of_name("carol"), std::nullopt);
}

TEST(Pins, MoveWhenTheHolderIsReleased) {
  Pins pins;
  ASSERT_TRUE(pins.claim(record(1, "bob", {kThree})));
  pins.release(Id(Role::kPeer, {1}));
  EXPECT_TRUE(pins.claim(record(2, "bob", {kThree})));
}

TEST(Pins, SurviveAsBytesAndRefuseDamagedOnes) {
  Pins pins;
  ASSERT_TRUE(pins.claim(record(1, "bob", {kThree})));
  const ByteVector bytes = pins.write();
  const auto again = Pins::parse(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->holder_of_name("bob"), Id(Role::kPeer, {1}));
  EXPECT_EQ(again->holder_of(kThree), Id(Role::kPeer, {1}));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(Pins::parse(ConstBytes(bytes).first(i))) << i;
  }
}

}  // namespace
}  // namespace ginnel::node
