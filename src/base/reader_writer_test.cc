#include <gtest/gtest.h>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel {
namespace {

TEST(ReaderWriter, RoundTripBothByteOrders) {
  std::array<std::byte, 30> buffer{};
  Writer w(buffer);
  w.u8(1).u16le(0x0203).u16be(0x0203).u32le(4).u32be(5).u64le(6).u64be(7);
  ASSERT_TRUE(w.ok());
  Reader r(w.written());
  EXPECT_EQ(r.u8(), 1);
  EXPECT_EQ(r.u16le(), 0x0203);
  EXPECT_EQ(r.u16be(), 0x0203);
  EXPECT_EQ(r.u32le(), 4u);
  EXPECT_EQ(r.u32be(), 5u);
  EXPECT_EQ(r.u64le(), 6u);
  EXPECT_EQ(r.u64be(), 7u);
  EXPECT_TRUE(r.finished());
}

TEST(ReaderWriter, RoundTripThreeBytes) {
  std::array<std::byte, 3> buffer{};
  Writer w(buffer);
  w.u24le(0xff030201);
  EXPECT_EQ(buffer[0], std::byte{1});
  EXPECT_EQ(buffer[2], std::byte{3});
  EXPECT_EQ(Reader(w.written()).u24le(), 0x030201u);
}

TEST(Reader, PastTheEndYieldsZerosAndStaysFailed) {
  const std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  Reader r(bytes);
  EXPECT_EQ(r.u32le(), 0u);
  EXPECT_EQ(r.u8(), 0);
  EXPECT_FALSE(r.ok());
}

TEST(Writer, NeverWritesPastItsBuffer) {
  std::array<std::byte, 5> buffer{};
  Writer w(Bytes(buffer).first(3));
  w.u16le(0xffff).u16le(0xffff);
  EXPECT_FALSE(w.ok());
  EXPECT_EQ(buffer[2], std::byte{0});
}

}  // namespace
}  // namespace ginnel
