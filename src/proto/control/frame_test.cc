#include "proto/control/frame.h"

#include <gtest/gtest.h>

#include "proto/control/hello.h"

namespace ginnel::control {
namespace {

ByteVector packet(std::initializer_list<int> bytes) {
  ByteVector out;
  for (const int b : bytes) out.push_back(static_cast<std::byte>(b));
  return out;
}

TEST(InnerKind, FirstByteTellsWhatAPacketIs) {
  EXPECT_EQ(inner_kind({}), InnerKind::kKeepalive);
  EXPECT_EQ(inner_kind(packet({0x00})), InnerKind::kFrames);
  EXPECT_EQ(inner_kind(packet({0x3f})), InnerKind::kFrames);
  EXPECT_EQ(inner_kind(packet({0x45})), InnerKind::kIp);
  EXPECT_EQ(inner_kind(packet({0x60})), InnerKind::kIp);
  EXPECT_EQ(inner_kind(packet({0x50})), InnerKind::kUnknown);
  EXPECT_EQ(inner_kind(packet({0xff})), InnerKind::kUnknown);
}

TEST(FrameReader, YieldsEachFrameUntilThePadding) {
  const auto bytes = packet({0x08, 2, 0, 1, 2, 0x3f, 0, 0, 0x00, 0xff, 0xff});
  FrameReader frames(bytes);
  const auto first = frames.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, FrameType::kPing);
  EXPECT_EQ(to_hex(first->body), "0102");
  const auto second = frames.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(static_cast<int>(second->type), 0x3f);  // unknown: the caller skips it
  EXPECT_TRUE(second->body.empty());
  EXPECT_FALSE(frames.next());
  EXPECT_FALSE(frames.drop());
}

TEST(FrameReader, KeepsTheFramesBeforeADamagedOne) {
  for (const auto& rest : {packet({0x08, 3, 0, 1}), packet({0x08, 3}), packet({0x08})}) {
    ByteVector bytes = packet({0x09, 1, 0, 7});
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    FrameReader frames(bytes);
    EXPECT_TRUE(frames.next());
    EXPECT_FALSE(frames.next());
    EXPECT_EQ(frames.drop(), Drop::kTooShort);
    EXPECT_FALSE(frames.next());
  }
}

// An IP packet never follows a frame.
TEST(FrameReader, EndsAtATypeThatBeginsAnIpPacket) {
  const auto bytes = packet({0x40, 0, 0});
  FrameReader frames(bytes);
  EXPECT_FALSE(frames.next());
  EXPECT_EQ(frames.drop(), Drop::kBadType);
}

TEST(WriteFrame, SaysZeroWhenThereIsNoRoom) {
  const Goodbye goodbye{Goodbye::Reason::kLeaves, 5};
  std::array<std::byte, 16> buffer{};
  for (std::size_t room = 0; room < 8; ++room) {
    EXPECT_EQ(write_frame(goodbye, Bytes(buffer).first(room)), 0u) << room;
  }
  EXPECT_EQ(write_frame(goodbye, buffer), 8u);
  EXPECT_EQ(to_hex(Bytes(buffer).first(8)), "0505000005000000");
  EXPECT_EQ(write_frame(FrameType::kKcp, Bytes(buffer), Bytes(buffer).first(16)), 0u);
}

TEST(Provisional, AllowsOnlyWhatExchangesCertificates) {
  EXPECT_TRUE(allowed_in_provisional(FrameType::kHello));
  EXPECT_TRUE(allowed_in_provisional(FrameType::kJoined));
  EXPECT_FALSE(allowed_in_provisional(FrameType::kDatagram));
  EXPECT_FALSE(allowed_in_provisional(FrameType::kRegister));
  EXPECT_FALSE(allowed_in_provisional(static_cast<FrameType>(0x3f)));
}

}  // namespace
}  // namespace ginnel::control
