#include "node/forward/tun_packet.h"

#include <gtest/gtest.h>

#include "node/forward/testing/link.h"

namespace ginnel::forward {
namespace {

using testing::as_read;
using testing::make_packet;
using testing::Shape;
using testing::slow_segments;

std::vector<ByteVector> segments_of(ConstBytes read) {
  std::vector<ByteVector> out;
  const auto packet = TunPacket::parse(read);
  EXPECT_TRUE(packet);
  if (!packet) return out;
  for (std::size_t i = 0; i < packet->segments(); ++i) {
    ByteVector segment(packet->segment_bytes(i));
    EXPECT_EQ(packet->write_segment(i, segment), segment.size());
    out.push_back(std::move(segment));
  }
  return out;
}

Shape shape(bool v4, bool tcp, std::size_t payload) {
  return {.v4 = v4,
          .tcp = tcp,
          .source = v4 ? testing::v4_of(0) : testing::v6_of(0),
          .destination = v4 ? testing::v4_of(1) : testing::v6_of(1),
          .payload = payload};
}

void expect_equal_to_slow(const Shape& s, std::size_t gso_size) {
  const ByteVector packet = make_packet(s);
  ASSERT_EQ(segments_of(as_read(packet, gso_size)), slow_segments(packet, gso_size))
      << "v4=" << s.v4 << " tcp=" << s.tcp << " payload=" << s.payload << " gso=" << gso_size;
}

TEST(TunPacket, SuperPacketsOfEverySizeSplitAsTheSlowSegmenterDoes) {
  for (const bool v4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (std::size_t payload = 1; payload < 400; ++payload) {
        for (const std::size_t gso_size : {1, 7, 100, 101, 399, 1352}) {
          expect_equal_to_slow(shape(v4, tcp, payload), gso_size);
        }
      }
    }
  }
}

TEST(TunPacket, SuperPacketsOf64KiBSplitAsTheSlowSegmenterDoes) {
  for (const bool v4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (const std::size_t gso_size : {1352, 1353, 1220, 88, 65'000}) {
        for (std::size_t payload = 65'535 - 40 - 32 - 5; payload <= 65'535 - 40 - 32; ++payload) {
          expect_equal_to_slow(shape(v4, tcp, payload), gso_size);
        }
      }
    }
  }
}

TEST(TunPacket, EachFlagStandsWhereItBelongs) {
  for (std::uint8_t flags = 0;; ++flags) {
    Shape s = shape(true, true, 350);
    s.flags = flags;
    expect_equal_to_slow(s, 100);
    if (flags == 0xff) break;
  }
  Shape s = shape(true, true, 300);
  s.flags = 0x99;  // CWR, ACK, PSH, FIN
  const auto segments = segments_of(as_read(make_packet(s), 100));
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0][33], std::byte{0x90});
  EXPECT_EQ(segments[1][33], std::byte{0x10});
  EXPECT_EQ(segments[2][33], std::byte{0x19});
}

TEST(TunPacket, SequenceAndIdentificationWrap) {
  Shape s = shape(true, true, 1000);
  s.sequence = 0xffffff80;
  s.id = 0xfffe;
  for (const std::size_t options : {0, 4, 40}) {
    s.options = options;
    expect_equal_to_slow(s, 100);
  }
}

TEST(TunPacket, TheEcnBitOfTheTypeIsNoOtherType) {
  ByteVector read = as_read(make_packet(shape(true, true, 300)), 100);
  read[1] |= std::byte{VnetHeader::kGsoEcn};
  EXPECT_EQ(segments_of(read).size(), 3u);
}

TEST(TunPacket, APartialChecksumIsCompleted) {
  for (const bool v4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (std::size_t payload = 0; payload < 200; ++payload) {
        const ByteVector packet = make_packet(shape(v4, tcp, payload));
        ASSERT_EQ(segments_of(as_read(packet, 0)), std::vector<ByteVector>{packet}) << payload;
      }
    }
  }
}

// RFC 768: "If the computed checksum is zero, it is transmitted as all ones."
TEST(TunPacket, AUdpChecksumOfZeroIsSentAsAllOnes) {
  Shape s = shape(true, false, 2);
  ByteVector packet = make_packet(s);
  // The word that makes the sum 0xffff.
  const std::size_t payload = packet.size() - 2;
  const std::size_t checksum = testing::get_u16(packet, 26);
  const std::size_t word = testing::get_u16(packet, payload) + checksum;
  testing::put_u16(packet, payload, (word & 0xffff) + (word >> 16));
  testing::complete(packet);
  ASSERT_EQ(testing::get_u16(packet, 26), 0xffffu);
  EXPECT_EQ(segments_of(as_read(packet, 0)), std::vector<ByteVector>{packet});
}

TEST(TunPacket, WhatFollowsThePacketIsNotPartOfIt) {
  const ByteVector packet = make_packet(shape(true, true, 10));
  ByteVector read = testing::as_plain_read(packet);
  read.resize(read.size() + 3);
  EXPECT_EQ(segments_of(read), std::vector<ByteVector>{packet});
}

TEST(TunPacket, EveryTruncationIsRefused) {
  for (const bool v4 : {true, false}) {
    const ByteVector read = as_read(make_packet(shape(v4, true, 300)), 100);
    for (std::size_t size = 0; size < read.size(); ++size) {
      ASSERT_FALSE(TunPacket::parse(ConstBytes(read).first(size))) << size;
    }
  }
}

struct Offload {
  const char* what;
  std::size_t at;
  std::uint8_t value;
};

TEST(TunPacket, AHeaderThatContradictsThePacketIsRefused) {
  const Offload cases[] = {{"type of the other family", 1, VnetHeader::kGsoTcp6},
                           {"unknown type", 1, 3},
                           {"TCP as UDP", 1, VnetHeader::kGsoUdp},
                           {"no checksum wanted", 0, 0},
                           {"gso size 0", 4, 0},
                           {"transport inside the IP header", 6, 19},
                           {"transport past the end", 7, 200},
                           {"checksum elsewhere", 8, 15},
                           {"data offset too small", kVnetHeaderBytes + 32, 0x40},
                           {"a fragment", kVnetHeaderBytes + 6, 0x20}};
  for (const Offload& c : cases) {
    ByteVector read = as_read(make_packet(shape(true, true, 300)), 100);
    read[c.at] = std::byte{c.value};
    const auto packet = TunPacket::parse(read);
    ASSERT_FALSE(packet) << c.what;
    EXPECT_EQ(packet.error(), Drop::kBadOffload) << c.what;
  }
}

}  // namespace
}  // namespace ginnel::forward
