#include "proto/swim/stream_reader.h"

#include <gtest/gtest.h>

#include "proto/swim/limits.h"

namespace ginnel::swim {
namespace {

ByteVector state_of(std::size_t nodes, ConstBytes user_state) {
  ByteVector out;
  write(PushPullHeader{false, nodes, user_state.size()}, out);
  for (std::size_t i = 0; i < nodes; ++i) {
    write(NodeState{"node" + std::to_string(i), {Address::v4(10, 0, 0, 1), 7946}}, out);
  }
  out.insert(out.end(), user_state.begin(), user_state.end());
  return out;
}

TEST(StreamReader, APlainPushPullIsCompleteWithItsLastByte) {
  const ByteVector stream = state_of(40, bytes_of("user state"));
  Framer framer({.compress = false});
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{97}}) {
    StreamReader reader(Framer::Side::kListener);
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const std::size_t size = std::min(step, stream.size() - at);
      const auto fed = reader.feed(ConstBytes(stream).subspan(at, size), framer);
      ASSERT_TRUE(fed);
      EXPECT_EQ(*fed, at + size == stream.size());
    }
    const auto parsed = PushPullReader::parse(reader.body());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(text_of(parsed->user_state()), "user state");
  }
}

Drop refusal(ConstBytes stream, Framer framer = Framer({})) {
  StreamReader reader(Framer::Side::kListener);
  const auto fed = reader.feed(stream, framer);
  return fed ? Drop::kCount : fed.error();
}

TEST(StreamReader, RefusesAtOnceWhatCanNeverBeTaken) {
  EXPECT_EQ(refusal(*from_hex("07")), Drop::kUnknownType);
  EXPECT_EQ(refusal(*from_hex("f400")), Drop::kWrongLabel);
  EXPECT_EQ(refusal(*from_hex("0a00000010")), Drop::kUnexpectedCipher);
  EXPECT_EQ(refusal(*from_hex("06c0")), Drop::kMalformed);
  ByteVector huge;
  write(PushPullHeader{false, kPushPullNodesMax + 1, 0}, huge);
  EXPECT_EQ(refusal(huge), Drop::kTooLarge);
  huge.clear();
  write(PushPullHeader{false, 0, kStreamBytesMax + 1}, huge);
  EXPECT_EQ(refusal(huge), Drop::kTooLarge);
  Framer keys({});
  keys.keys().install(*crypto::AesKey::from(ByteVector(16))).value();
  EXPECT_EQ(refusal(*from_hex("0a01400001"), std::move(keys)), Drop::kTooLarge);
}

TEST(StreamReader, AMemberRowThatNeverEndsIsRefused) {
  ByteVector stream;
  write(PushPullHeader{false, 1, 0}, stream);
  const ByteVector row = *from_hex("81a178db7fffffff");
  stream.insert(stream.end(), row.begin(), row.end());
  stream.resize(stream.size() + kNodeStateBytesMax);
  EXPECT_EQ(refusal(stream), Drop::kTooLarge);
}

TEST(StreamReader, TheLabelIsTheDialersOnly) {
  Framer blue({.label = "blue"});
  Rng rng = Rng::from_seed(1);
  ByteVector request, answer;
  blue.seal_stream(state_of(1, {}), Framer::Side::kDialer, 1, rng, request);
  blue.seal_stream(state_of(1, {}), Framer::Side::kListener, 1, rng, answer);
  EXPECT_EQ(to_hex(ConstBytes(request).first(6)), "f404626c7565");
  EXPECT_EQ(answer[0], std::byte{9});
  StreamReader listener(Framer::Side::kListener), dialer(Framer::Side::kDialer);
  EXPECT_TRUE(*listener.feed(request, blue));
  EXPECT_TRUE(*dialer.feed(answer, blue));
  EXPECT_EQ(refusal(answer, Framer({.label = "blue"})), Drop::kWrongLabel);
  EXPECT_EQ(refusal(answer, Framer({.label = "blue", .skip_inbound_label_check = true})),
            Drop::kCount);
}

TEST(StreamReader, ADecompressionBombIsRefused) {
  ByteVector bomb;
  write_compressed(ByteVector(kStreamPlainBytesMax + 1), bomb);
  EXPECT_LT(bomb.size(), 64u << 10);
  EXPECT_EQ(refusal(bomb), Drop::kTooLarge);
}

TEST(StreamReader, APushPullOfAMillionNodesCostsNoMemoryBeyondItsBytes) {
  ByteVector stream;
  write(PushPullHeader{false, 1'000'000, 0}, stream);
  stream.resize(stream.size() + 1'000'000, std::byte{0x80});  // each an empty map
  Framer framer({});
  StreamReader reader(Framer::Side::kListener);
  ASSERT_TRUE(*reader.feed(stream, framer));
  auto parsed = PushPullReader::parse(reader.body());
  ASSERT_TRUE(parsed);
  std::size_t nodes = 0;
  while (parsed->next()) ++nodes;
  EXPECT_EQ(nodes, 1'000'000u);
}

}  // namespace
}  // namespace ginnel::swim
