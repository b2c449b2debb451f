#include "proto/kcp/wire.h"

#include <gtest/gtest.h>

namespace ginnel::kcp {
namespace {

Segment example() {
  static constexpr std::array<std::uint8_t, 3> kPayload = {7, 8, 9};
  return {.conv = Conv(0x11223344),
          .cmd = Cmd::kPush,
          .frg = 2,
          .wnd = 0x8001,
          .ts = Timestamp(0xfffffffe),
          .sn = Sn(5),
          .una = Sn(0xffffffff),
          .payload = bytes_of(kPayload)};
}

ByteVector written(const Segment& segment) {
  ByteVector out(kHeaderBytes + segment.payload.size());
  Writer writer(out);
  write_header(writer, segment, segment.payload.size());
  writer.put(segment.payload);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(writer.size(), out.size());
  return out;
}

TEST(KcpWire, WhatIsWrittenIsParsedAgain) {
  const ByteVector bytes = written(example());
  EXPECT_EQ(to_hex(bytes),
            "44332211"
            "51"
            "02"
            "0180"
            "feffffff"
            "05000000"
            "ffffffff"
            "03000000"
            "070809");
  Reader reader(bytes);
  const auto segment = parse_segment(reader);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->conv, Conv(0x11223344));
  EXPECT_EQ(segment->cmd, Cmd::kPush);
  EXPECT_EQ(segment->frg, 2);
  EXPECT_EQ(segment->wnd, 0x8001);
  EXPECT_EQ(segment->ts, Timestamp(0xfffffffe));
  EXPECT_EQ(segment->sn, Sn(5));
  EXPECT_EQ(segment->una, Sn(0xffffffff));
  EXPECT_TRUE(equal(segment->payload, example().payload));
  EXPECT_TRUE(reader.finished());
}

TEST(KcpWire, EveryTruncationIsRefused) {
  const ByteVector bytes = written(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Reader reader(ConstBytes(bytes).first(size));
    const auto segment = parse_segment(reader);
    ASSERT_FALSE(segment) << size;
    EXPECT_EQ(segment.error(), size < kHeaderBytes ? Drop::kTooShort : Drop::kTruncated) << size;
  }
}

TEST(KcpWire, SegmentsFollowEachOther) {
  ByteVector bytes = written(example());
  Segment second = example();
  second.sn = Sn(6);
  second.payload = {};
  const ByteVector more = written(second);
  bytes.insert(bytes.end(), more.begin(), more.end());
  Reader reader(bytes);
  EXPECT_EQ(parse_segment(reader)->sn, Sn(5));
  EXPECT_EQ(parse_segment(reader)->sn, Sn(6));
  EXPECT_TRUE(reader.finished());
}

TEST(KcpWire, OnlyTheFourCommandsAreKnown) {
  ByteVector bytes = written(example());
  for (int cmd = 0; cmd < 256; ++cmd) {
    bytes[4] = static_cast<std::byte>(cmd);
    Reader reader(bytes);
    const auto segment = parse_segment(reader);
    EXPECT_EQ(segment.has_value(), cmd >= 81 && cmd <= 84) << cmd;
    if (segment.has_value()) continue;
    EXPECT_EQ(segment.error(), Drop::kUnknownCmd);
  }
}

TEST(KcpWire, ALengthOfFourGigabytesIsTruncated) {
  ByteVector bytes = written(example());
  for (std::size_t i = 20; i < 24; ++i) bytes[i] = std::byte{0xff};
  Reader reader(bytes);
  EXPECT_EQ(parse_segment(reader).error(), Drop::kTruncated);
}

}  // namespace
}  // namespace ginnel::kcp
