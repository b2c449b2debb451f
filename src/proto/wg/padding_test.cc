#include "proto/wg/padding.h"

#include <gtest/gtest.h>

namespace ginnel::wg {
namespace {

// Section 5.4.6: to a multiple of 16; wireguard-go: not beyond the MTU.
TEST(Padding, RoundsUpTo16ButNotPastTheMtu) {
  EXPECT_EQ(padded_size(0, 1420), 0u);
  EXPECT_EQ(padded_size(1, 1420), 16u);
  EXPECT_EQ(padded_size(16, 1420), 16u);
  EXPECT_EQ(padded_size(1408, 1420), 1408u);
  EXPECT_EQ(padded_size(1409, 1420), 1420u);
  EXPECT_EQ(padded_size(1420, 1420), 1420u);
  EXPECT_EQ(padded_size(1425, 1420), 1425u);
}

ByteVector packet(std::size_t size, std::initializer_list<std::pair<std::size_t, int>> fields) {
  ByteVector out(size);
  for (const auto& [at, value] : fields) out[at] = static_cast<std::byte>(value);
  return out;
}

TEST(Padding, IsCutOffByTheLengthOfTheInnerPacket) {
  auto v4 = packet(48, {{0, 0x45}, {3, 44}});
  EXPECT_EQ(without_padding(v4)->size(), 44u);
  auto v6 = packet(64, {{0, 0x60}, {5, 20}});
  EXPECT_EQ(without_padding(v6)->size(), 60u);
}

TEST(Padding, RefusesALengthThatTheBytesDoNotHold) {
  auto v4_longer = packet(48, {{0, 0x45}, {3, 49}});
  auto v4_shorter = packet(48, {{0, 0x45}, {3, 19}});
  auto v4_cut = packet(19, {{0, 0x45}, {3, 19}});
  auto v6_longer = packet(64, {{0, 0x60}, {5, 25}});
  auto v6_cut = packet(39, {{0, 0x60}});
  for (ByteVector* bytes : {&v4_longer, &v4_shorter, &v4_cut, &v6_longer, &v6_cut}) {
    ASSERT_FALSE(without_padding(*bytes));
    EXPECT_EQ(without_padding(*bytes).error(), Drop::kWrongSize);
  }
  auto neither = packet(48, {{0, 0x10}});
  EXPECT_EQ(without_padding(neither).error(), Drop::kUnknownType);
  EXPECT_EQ(without_padding({}).error(), Drop::kUnknownType);
}

}  // namespace
}  // namespace ginnel::wg
