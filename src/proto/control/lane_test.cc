#include "proto/control/lane.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

const LaneOpen kChat{LaneOpen::Kind::kMessages, 3, "chat"};

void append(ByteVector& to, ConstBytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

ByteVector message(std::string_view data, std::uint64_t id = 0) {
  ByteVector out = encoded(MessageHeader{static_cast<std::uint32_t>(data.size()), id});
  append(out, bytes_of(data));
  return out;
}

TEST(LaneOpen, RoundTrips) {
  expect_exact_size(encoded(kChat), parse_lane_open);
  EXPECT_EQ(*parse_lane_open(encoded(kChat)), kChat);
  const LaneOpen longest{LaneOpen::Kind::kReplies, kPriorityMax, std::string(64, 'c')};
  EXPECT_EQ(encoded(longest).size(), LaneOpen::kBytesMax);
  EXPECT_EQ(*parse_lane_open(encoded(longest)), longest);
}

TEST(LaneOpen, RefusesUnknownKindsPrioritiesAndNames) {
  EXPECT_EQ(parse_lane_open(*from_hex("03000163")).error(), Drop::kBadField);
  EXPECT_EQ(parse_lane_open(*from_hex("00080163")).error(), Drop::kBadField);
  EXPECT_EQ(parse_lane_open(*from_hex("000000")).error(), Drop::kBadField);
  ByteVector too_long = *from_hex("000041");
  too_long.resize(3 + 65, std::byte{'c'});
  EXPECT_EQ(parse_lane_open(too_long).error(), Drop::kTooLong);
}

TEST(LaneReader, ReadsALaneHoweverItIsCut) {
  ByteVector stream = encoded(kChat);
  append(stream, message("hello", 7));
  append(stream, message(""));
  append(stream, message("world"));
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    LaneReader lane;
    std::vector<std::string> data;
    std::vector<std::uint64_t> ids;
    for (ConstBytes rest = stream; !rest.empty();) {
      rest = rest.subspan(lane.feed(rest.first(std::min(step, rest.size()))));
      if (!lane.ready()) continue;
      const auto whole = lane.take();
      data.emplace_back(text_of(whole.body));
      ids.push_back(whole.header.message_id);
    }
    ASSERT_NE(lane.open(), nullptr);
    EXPECT_EQ(*lane.open(), kChat);
    EXPECT_EQ(data, (std::vector<std::string>{"hello", "", "world"})) << step;
    EXPECT_EQ(ids, (std::vector<std::uint64_t>{7, 0, 0}));
  }
}

TEST(LaneReader, HoldsOneMessageUntilItIsTaken) {
  ByteVector stream = encoded(kChat);
  append(stream, message("a"));
  const std::size_t until_first = stream.size();
  append(stream, message("b"));
  LaneReader lane;
  EXPECT_EQ(lane.feed(stream), until_first);
  EXPECT_EQ(lane.feed(ConstBytes(stream).subspan(until_first)), 0u);
  lane.take();
  EXPECT_EQ(lane.feed(ConstBytes(stream).subspan(until_first)), stream.size() - until_first);
}

TEST(LaneReader, FailsForGoodAtABadOpenOrALengthAboveTheLimit) {
  LaneReader bad_open;
  EXPECT_GT(bad_open.feed(*from_hex("030001631234")), 0u);
  EXPECT_EQ(bad_open.drop(), Drop::kBadField);
  EXPECT_EQ(bad_open.feed(encoded(kChat)), 0u);
  ByteVector stream = encoded(kChat);
  append(stream, *from_hex("010000010000000000000000"));  // 16 MiB + 1
  LaneReader too_long;
  too_long.feed(stream);
  EXPECT_EQ(too_long.drop(), Drop::kTooLong);
  EXPECT_FALSE(too_long.ready());
}

TEST(MessageReader, GreatestMessageArrives) {
  ByteVector stream = encoded(MessageHeader{kMessageBytesMax, 1});
  MessageReader reader;
  reader.feed(stream);
  const ByteVector chunk(std::size_t{1} << 20, std::byte{7});
  for (int i = 0; i < 16; ++i) {
    EXPECT_FALSE(reader.ready());
    EXPECT_EQ(reader.feed(chunk), chunk.size());
  }
  ASSERT_TRUE(reader.ready());
  EXPECT_EQ(reader.take().body.size(), kMessageBytesMax);
}

TEST(MessageHeader, RoundTrips) {
  const ByteVector bytes = encoded(MessageHeader{5, 6});
  EXPECT_EQ(bytes.size(), kMessageHeaderBytes);
  expect_exact_size(bytes, MessageHeader::parse);
  expect_round_trip(bytes, MessageHeader::parse);
}

TEST(LanePacket, NamesTheLaneOfItsFirstSegment) {
  ByteVector body(kKcpSegmentHeaderBytes);
  body[0] = std::byte{5};
  EXPECT_EQ(parse_lane_packet(body)->lane, 5u);
  body.pop_back();
  EXPECT_EQ(parse_lane_packet(body).error(), Drop::kTooShort);
}

}  // namespace
}  // namespace ginnel::control
