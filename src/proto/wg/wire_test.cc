#include "proto/wg/wire.h"

#include <gtest/gtest.h>

#include "proto/wg/testing/vectors.h"

namespace ginnel::wg {
namespace {

using testing::Vectors;

// Everything but the MACs, which are not the codec's.
template <class Message>
void expect_round_trip(const ByteVector& bytes, std::size_t macs) {
  const auto message = Message::parse(bytes);
  ASSERT_TRUE(message);
  ByteVector again(bytes.size(), std::byte{0xee});
  ASSERT_EQ(message->write(again), bytes.size());
  EXPECT_TRUE(equal(ConstBytes(again).first(bytes.size() - macs),
                    ConstBytes(bytes).first(bytes.size() - macs)));
}

template <class Message>
void expect_only_this_size(const ByteVector& bytes) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Message::parse(ConstBytes(bytes).first(size))) << size;
  }
  ByteVector longer = bytes;
  longer.push_back(std::byte{0});
  const auto parsed = Message::parse(longer);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error(), Drop::kWrongSize);
}

TEST(Wire, WritesTheMessagesItParsed) {
  for (const char* file : {"computed.hex", "wireguard-go.hex"}) {
    const Vectors vectors(file);
    expect_round_trip<Initiation>(vectors["initiation"], kMacsBytes);
    expect_round_trip<Response>(vectors["response"], kMacsBytes);
    expect_round_trip<CookieReply>(vectors["cookie_reply"], 0);
  }
}

TEST(Wire, RefusesEveryTruncationAndTrailingBytes) {
  const Vectors vectors("wireguard-go.hex");
  expect_only_this_size<Initiation>(vectors["initiation"]);
  expect_only_this_size<Response>(vectors["response"]);
  expect_only_this_size<CookieReply>(vectors["cookie_reply"]);
  const ByteVector& data = vectors["data"];
  for (std::size_t size = 0; size < data.size(); ++size) {
    EXPECT_EQ(DataHeader::parse(ConstBytes(data).first(size)).has_value(),
              size >= kDataOverheadBytes)
        << size;
  }
}

TEST(Wire, ReadsTheFieldsOfTheLiveExchange) {
  const Vectors vectors("wireguard-go.hex");
  EXPECT_EQ(Initiation::parse(vectors["initiation"])->sender, ReceiverIndex(0x11223344));
  const auto response = Response::parse(vectors["response"]);
  EXPECT_EQ(response->sender, ReceiverIndex(0xfa520961));
  EXPECT_EQ(response->receiver, ReceiverIndex(0x11223344));
  EXPECT_EQ(DataHeader::parse(vectors["data"])->receiver, ReceiverIndex(0xfa520961));
  EXPECT_EQ(DataHeader::parse(Vectors("computed.hex")["data_back"])->counter, 0x0102030405060708u);
}

// Section 5.4: the first byte is the type, the next three are zero.
TEST(Wire, TakesNoOtherTypeAndNoReservedBits) {
  for (const char* hex : {"", "01", "010000", "00000000", "05000000", "01000001", "01010000"}) {
    ByteVector bytes = *from_hex(hex);
    if (bytes.size() == 4) bytes.resize(kInitiationBytes);
    const auto type = message_type(bytes);
    ASSERT_FALSE(type) << hex;
    EXPECT_EQ(type.error(), Drop::kUnknownType) << hex;
  }
  EXPECT_FALSE(Response::parse(Vectors("computed.hex")["initiation"]));
}

TEST(Wire, WritesNothingIntoASpanThatIsTooSmall) {
  ByteVector small(kInitiationBytes - 1);
  EXPECT_EQ(Initiation().write(small), 0u);
  EXPECT_EQ(Response().write(Bytes(small).first(kResponseBytes - 1)), 0u);
  EXPECT_EQ(CookieReply().write(Bytes(small).first(kCookieReplyBytes - 1)), 0u);
  EXPECT_EQ(DataHeader().write(Bytes(small).first(kDataHeaderBytes - 1)), 0u);
}

}  // namespace
}  // namespace ginnel::wg
