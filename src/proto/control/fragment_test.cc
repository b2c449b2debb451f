#include "proto/control/fragment.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

constexpr Instant kNow{1'000'000'000};

ByteVector packet_of(std::size_t size) {
  ByteVector out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7);
  return out;
}

TEST(Fragment, RoundTrips) {
  const ByteVector part = packet_of(100);
  const ByteVector bytes = encoded(Fragment{5, 1, part});
  expect_round_trip(bytes, parse_fragment);
  for (std::size_t size = 0; size <= kFragmentHeaderBytes; ++size) {
    EXPECT_FALSE(parse_fragment(ConstBytes(bytes).first(size))) << size;
  }
}

TEST(Fragment, RefusesOtherCountsIndicesAndTooLongParts) {
  EXPECT_EQ(parse_fragment(*from_hex("05000000020255")).error(), Drop::kBadField);
  EXPECT_EQ(parse_fragment(*from_hex("05000000000355")).error(), Drop::kBadField);
  ByteVector bytes = encoded(Fragment{5, 0, packet_of(1)});
  bytes.resize(kFragmentHeaderBytes + kFragmentPartBytesMax + 1);
  EXPECT_EQ(parse_fragment(bytes).error(), Drop::kTooLong);
}

TEST(Split, PartsFitTheirFramesAndMakeThePacketAgain) {
  for (const std::size_t size : {2u, 100u, 1391u, 1392u, 1500u, 2000u}) {
    const ByteVector packet = packet_of(size);
    const auto parts = split(packet, 9, 1200);
    ASSERT_TRUE(parts) << size;
    Reassembler reassembler;
    std::array<std::byte, 1200> buffer{};
    for (const Fragment& part : *parts) EXPECT_GT(write_frame(part, buffer), 0u) << size;
    EXPECT_FALSE(reassembler.add(kNow, (*parts)[0]));
    EXPECT_EQ(reassembler.add(kNow, (*parts)[1]), packet);
  }
}

TEST(Split, RefusesWhatTwoPartsDoNotHold) {
  EXPECT_TRUE(split(packet_of(2 * (1200 - 9)), 9, 1200));
  EXPECT_FALSE(split(packet_of(2 * (1200 - 9) + 1), 9, 1200));
  EXPECT_FALSE(split(packet_of(1), 9, 1200));
  EXPECT_FALSE(split(packet_of(100), 9, 9));
}

TEST(Reassembler, TakesThePartsInAnyOrderAndBetweenOthers) {
  const ByteVector a = packet_of(150);
  const ByteVector b = packet_of(170);
  const auto parts_a = *split(a, 1, 100);
  const auto parts_b = *split(b, 2, 100);
  Reassembler reassembler;
  EXPECT_FALSE(reassembler.add(kNow, parts_a[1]));
  EXPECT_FALSE(reassembler.add(kNow, parts_b[0]));
  EXPECT_EQ(reassembler.add(kNow, parts_a[0]), a);
  EXPECT_EQ(reassembler.add(kNow, parts_b[1]), b);
  EXPECT_EQ(reassembler.lost(), 0u);
}

TEST(Reassembler, FirstOfTwoEqualPartsWins) {
  const ByteVector packet = packet_of(150);
  const auto parts = *split(packet, 1, 100);
  const ByteVector other(parts[0].part.size(), std::byte{0xee});
  Reassembler reassembler;
  EXPECT_FALSE(reassembler.add(kNow, parts[0]));
  EXPECT_FALSE(reassembler.add(kNow, {1, 0, other}));
  EXPECT_EQ(reassembler.add(kNow, parts[1]), packet);
}

TEST(Reassembler, ForgetsAHalfAfterASecond) {
  const auto packet = packet_of(150);
  const auto parts = *split(packet, 1, 100);
  Reassembler reassembler;
  EXPECT_FALSE(reassembler.add(kNow, parts[0]));
  EXPECT_FALSE(reassembler.add(kNow + 1s, parts[1]));
  EXPECT_EQ(reassembler.lost(), 1u);
}

TEST(Reassembler, OldestHalfMakesRoom) {
  const auto packet = packet_of(150);
  Reassembler reassembler;
  for (std::uint32_t id = 0; id <= Reassembler::kHalvesMax; ++id) {
    EXPECT_FALSE(reassembler.add(kNow + Nanoseconds(id), (*split(packet, id, 100))[0]));
  }
  EXPECT_EQ(reassembler.lost(), 1u);
  EXPECT_EQ(reassembler.add(kNow + 1us, (*split(packet, 1, 100))[1]), packet);
  EXPECT_FALSE(reassembler.add(kNow + 1us, (*split(packet, 0, 100))[1]));
}

}  // namespace
}  // namespace ginnel::control
