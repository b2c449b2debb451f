#include "proto/relay/wire.h"

#include <gtest/gtest.h>

#include "base/testing/vectors.h"

namespace ginnel::relay {
namespace {

constexpr crypto::SipKey kKey = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

ByteVector packet_of(std::size_t payload_bytes) {
  ByteVector packet(kHeaderBytes + payload_bytes);
  for (std::size_t i = kHeaderBytes; i < packet.size(); ++i) {
    packet[i] = static_cast<std::byte>(i - kHeaderBytes);
  }
  return packet;
}

ByteVector forwarded(std::size_t payload_bytes) {
  ByteVector packet = packet_of(payload_bytes);
  write_header({Index(0x030201), kHopsFromHub, Index(0x060504), 0}, kKey, packet);
  return packet;
}

// docs/wire/ginnel.md sections 4 and 13.
TEST(RelayWire, WritesTheBytesOfTheDocument) {
  const auto vectors = testing::read_vectors(GINNEL_TESTDATA "/vectors.txt");
  ByteVector packet = packet_of(40);
  write_header({Index(0x030201), kHopsFromNode, Index(0x060504), 0}, kKey, packet);
  const auto from_node = testing::vector_text("relay, node to hub", packet);
  EXPECT_EQ(to_hex(packet), vectors.at("relay, node to hub")) << from_node;
  const auto from_hub = testing::vector_text("relay, hub to node", forwarded(40));
  EXPECT_EQ(to_hex(forwarded(40)), vectors.at("relay, hub to node")) << from_hub;
}

TEST(RelayWire, DocumentQuotesTheVectors) {
  const auto text = testing::read_text_file(GINNEL_TESTDATA "/vectors.txt");
  const auto document = testing::read_text_file(GINNEL_TESTDATA "/../../../../docs/wire/ginnel.md");
  ASSERT_FALSE(text.empty());
  EXPECT_NE(document.find(text), std::string::npos);
}

TEST(RelayWire, HeaderRoundTripsAtTheLimitsOfItsFields) {
  for (const std::uint32_t index : {1u, 0x800000u, kIndexMax}) {
    ByteVector packet = packet_of(1);
    const Header header{Index(index), 3, Index(kIndexMax - index), 0};
    write_header(header, kKey, packet);
    const auto parsed = parse_header(packet);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->source, header.source);
    EXPECT_EQ(parsed->destination, header.destination);
    EXPECT_EQ(parsed->hops, 3);
    EXPECT_EQ(parsed->tag, tag_of(packet, kKey));
  }
}

TEST(RelayWire, EveryTruncationIsRefused) {
  const ByteVector packet = packet_of(1);
  for (std::size_t size = 0; size <= kHeaderBytes; ++size) {
    EXPECT_EQ(parse_header(ConstBytes(packet).first(size)).error(), Drop::kTooShort) << size;
  }
}

TEST(RelayWire, ReservedBitsAndOtherTypesAreRefused) {
  ByteVector packet = forwarded(4);
  packet[4] |= std::byte{4};
  EXPECT_EQ(parse_header(packet).error(), Drop::kBadType);
  packet = forwarded(4);
  packet[0] = std::byte{0x81};
  EXPECT_EQ(parse_header(packet).error(), Drop::kBadType);
}

TEST(RelayWire, NodeOpensWhatItsHubForwarded) {
  ByteVector packet = forwarded(40);
  const auto opened = open(packet, Index(0x060504), kKey);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->source, Index(0x030201));
  EXPECT_EQ(opened->payload.size(), 40u);
  EXPECT_EQ(opened->payload.data(), packet.data() + kHeaderBytes);
}

TEST(RelayWire, NodeRefusesWhatIsNotForItOrDidNotComeFromAHub) {
  ByteVector packet = forwarded(40);
  EXPECT_EQ(open(packet, Index(7), kKey).error(), Drop::kNotForUs);
  EXPECT_EQ(open(packet, Index(0x060504), crypto::SipKey{}).error(), Drop::kBadTag);
  write_header({Index(1), kHopsFromNode, Index(2), 0}, kKey, packet);
  EXPECT_EQ(open(packet, Index(2), kKey).error(), Drop::kHops);
}

// Section 4: header bytes 0..7, the payload length and the first 32 bytes of the payload.
TEST(RelayWire, TagCoversHeaderLengthAndStartOfThePayload) {
  const ByteVector good = forwarded(64);
  const auto tag = tag_of(good, kKey);
  for (std::size_t i = 0; i < good.size(); ++i) {
    ByteVector changed = good;
    changed[i] ^= std::byte{1};
    const bool covered = i < 8 || (i >= kHeaderBytes && i < kHeaderBytes + kTaggedPayloadBytes);
    EXPECT_EQ(tag_of(changed, kKey) != tag, covered) << i;
  }
  EXPECT_NE(tag_of(ConstBytes(good).first(good.size() - 1), kKey), tag);
}

}  // namespace
}  // namespace ginnel::relay
