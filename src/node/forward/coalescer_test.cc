#include "node/forward/coalescer.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "node/forward/testing/link.h"

namespace ginnel::forward {
namespace {

using testing::make_packet;
using testing::Shape;

constexpr Coalescer::Options kBoth{.tcp = true, .udp = true};

Shape shape(bool v4, bool tcp, std::size_t payload) {
  return {.v4 = v4,
          .tcp = tcp,
          .source = v4 ? testing::v4_of(1) : testing::v6_of(1),
          .destination = v4 ? testing::v4_of(0) : testing::v6_of(0),
          .payload = payload};
}

struct Joining {
  explicit Joining(Coalescer::Options options = kBoth) : tun(options) {}
  void add(ByteVector packet) {
    packets.push_back(std::move(packet));
    tun.add(packets.back(), *IpPacket::parse(packets.back()));
  }
  // Bytes of each write without the virtio header.
  std::vector<std::size_t> sizes() {
    std::vector<std::size_t> out(tun.finish());
    for (std::size_t i = 0; i < out.size(); ++i) {
      for (const ConstBytes part : tun.parts(i)) out[i] += part.size();
      out[i] -= kVnetHeaderBytes;
    }
    return out;
  }
  std::size_t writes() { return sizes().size(); }
  Coalescer tun;
  std::deque<ByteVector> packets;
};

// The pieces of a super packet, as the far end split it.
TEST(Coalescer, JoinsTheSegmentsOfASuperPacketSoThatTheKernelSplitsThemTheSame) {
  for (const bool v4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (const std::size_t payload : {1, 1340, 1341, 5000, 60'000, 65'400}) {
        Joining joining;
        Shape s = shape(v4, tcp, payload);
        s.flags = 0x18;
        const auto segments = testing::slow_segments(make_packet(s), 1340);
        for (const ByteVector& segment : segments) joining.add(segment);
        EXPECT_EQ(joining.tun.finish(), 1u) << payload;
        EXPECT_EQ(testing::written(joining.tun), segments) << v4 << tcp << " " << payload;
      }
    }
  }
}

TEST(Coalescer, TheVirtioHeaderDescribesTheSuperPacket) {
  Joining joining;
  for (const auto& segment : testing::slow_segments(make_packet(shape(false, true, 4000)), 1300)) {
    joining.add(segment);
  }
  ASSERT_EQ(joining.tun.finish(), 1u);
  const auto parts = joining.tun.parts(0);
  EXPECT_EQ(parts.size(), 5u);
  const VnetHeader vnet = VnetHeader::parse(parts[0]);
  EXPECT_EQ(vnet.flags, VnetHeader::kNeedsChecksum);
  EXPECT_EQ(vnet.gso_type, VnetHeader::kGsoTcp6);
  EXPECT_EQ(vnet.gso_size, 1300);
  EXPECT_EQ(vnet.header_bytes, 72);
  EXPECT_EQ(vnet.csum_start, 40);
  EXPECT_EQ(vnet.csum_offset, 16);
  const ConstBytes head = parts[1];
  EXPECT_EQ(testing::get_u16(head, 4), 4032u);
  std::uint64_t pseudo = testing::slow_sum(head.subspan(8, 32)) + 4032u + 6u;
  EXPECT_EQ(testing::get_u16(head, 56), testing::slow_sum({}, pseudo));
}

TEST(Coalescer, ASinglePacketIsWrittenAsItCame) {
  Joining joining;
  const ByteVector packet = make_packet(shape(true, true, 100));
  joining.add(packet);
  EXPECT_EQ(testing::written(joining.tun), std::vector<ByteVector>{packet});
}

// Two consecutive pieces of a flow, the second one changed by `change` after its checksum was made
// or before.
std::size_t writes_after(void (*change)(Shape&), void (*damage)(ByteVector&) = nullptr) {
  Joining joining;
  Shape s = shape(true, true, 1000);
  joining.add(make_packet(s));
  s.sequence += 1000;
  if (change) change(s);
  ByteVector second = make_packet(s);
  if (damage) damage(second);
  joining.add(second);
  return joining.writes();
}

TEST(Coalescer, JoinsOnlyWhatFollowsInTheSameFlow) {
  EXPECT_EQ(writes_after(nullptr), 1u);
  EXPECT_EQ(writes_after([](Shape& s) { s.sequence += 1; }), 2u);
  EXPECT_EQ(writes_after([](Shape& s) { s.source_port += 1; }), 2u);
  EXPECT_EQ(writes_after([](Shape& s) { s.payload = 1001; }), 2u);
  EXPECT_EQ(writes_after([](Shape& s) { s.payload = 1; }), 1u);
  EXPECT_EQ(writes_after([](Shape& s) { s.payload = 0; }), 2u);
  EXPECT_EQ(writes_after([](Shape& s) { s.options = 16; }), 2u);
  EXPECT_EQ(writes_after([](Shape& s) { s.dont_fragment = false; }), 2u);
  for (const int flag : {0x01, 0x02, 0x04, 0x20, 0x40, 0x80}) {  // FIN SYN RST URG ECE CWR
    static std::uint8_t more;
    more = static_cast<std::uint8_t>(flag);
    EXPECT_EQ(writes_after([](Shape& s) { s.flags |= more; }), 2u) << flag;
  }
}

TEST(Coalescer, JoinsOnlyWhatDiffersInNothingTheKernelDoesNotRewrite) {
  const auto with = [](void (*damage)(ByteVector&)) { return writes_after(nullptr, damage); };
  const auto at = [](ByteVector& p, std::size_t offset) {
    p[offset] ^= std::byte{1};
    testing::complete(p);
  };
  static const auto change = at;
  EXPECT_EQ(with([](ByteVector& p) { change(p, 1); }), 2u);   // TOS
  EXPECT_EQ(with([](ByteVector& p) { change(p, 8); }), 2u);   // TTL
  EXPECT_EQ(with([](ByteVector& p) { change(p, 5); }), 1u);   // identification
  EXPECT_EQ(with([](ByteVector& p) { change(p, 31); }), 2u);  // acknowledgement
  EXPECT_EQ(with([](ByteVector& p) { change(p, 35); }), 2u);  // window
  EXPECT_EQ(with([](ByteVector& p) { change(p, 45); }), 2u);  // options
}

// The kernel makes a new checksum for the super packet, which would hide a wrong one.
TEST(Coalescer, APacketWithAWrongChecksumStaysAlone) {
  EXPECT_EQ(writes_after(nullptr, [](ByteVector& p) { p.back() ^= std::byte{1}; }), 2u);
  Joining joining;
  Shape s = shape(true, true, 1000);
  ByteVector first = make_packet(s);
  first.back() ^= std::byte{1};
  joining.add(first);
  s.sequence += 1000;
  joining.add(make_packet(s));
  EXPECT_EQ(joining.writes(), 2u);
}

TEST(Coalescer, NothingJoinsBehindAPushOrAShortSegment) {
  Joining pushed;
  Shape s = shape(true, true, 1000);
  for (int i = 0; i < 4; ++i) {
    s.flags = i == 1 ? 0x18 : 0x10;
    pushed.add(make_packet(s));
    s.sequence += 1000;
  }
  EXPECT_EQ(pushed.sizes(), (std::vector<std::size_t>{2052, 2052}));
  EXPECT_EQ(pushed.tun.parts(0)[1][33], std::byte{0x18});
  EXPECT_EQ(pushed.tun.parts(1)[1][33], std::byte{0x10});

  Joining shorter;
  s = shape(true, true, 1000);
  for (const std::size_t payload : {1000, 500, 1000}) {
    s.payload = payload;
    shorter.add(make_packet(s));
    s.sequence += static_cast<std::uint32_t>(payload);
  }
  EXPECT_EQ(shorter.sizes(), (std::vector<std::size_t>{1552, 1052}));
}

TEST(Coalescer, FlowsThatAlternateAreJoinedEachForItself) {
  Joining joining;
  for (std::uint32_t i = 0; i < 10; ++i) {
    for (std::uint16_t flow = 0; flow < 3; ++flow) {
      Shape s = shape(true, true, 100);
      s.source_port = static_cast<std::uint16_t>(50'000 + flow);
      s.sequence += i * 100;
      joining.add(make_packet(s));
    }
  }
  EXPECT_EQ(joining.sizes(), (std::vector<std::size_t>{1052, 1052, 1052}));
}

TEST(Coalescer, NoPacketGoesBeforeAnEarlierOneOfItsFlow) {
  Joining joining;
  Shape s = shape(true, true, 100);
  joining.add(make_packet(s));
  Shape ack = s;  // a bare ACK between them
  ack.payload = 0;
  ack.sequence += 100;
  joining.add(make_packet(ack));
  s.sequence += 100;
  joining.add(make_packet(s));
  EXPECT_EQ(joining.sizes(), (std::vector<std::size_t>{152, 52, 152}));
}

TEST(Coalescer, ASuperPacketStaysWithinPartsAndBytes) {
  Joining small;
  Shape s = shape(true, true, 1);
  for (int i = 0; i < 300; ++i) {
    small.add(make_packet(s));
    ++s.sequence;
  }
  std::size_t total = 0;
  for (std::size_t i = 0, n = small.tun.finish(); i < n; ++i) {
    EXPECT_LE(small.tun.parts(i).size(), Coalescer::kPartsMax);
    total += small.tun.parts(i).size() - 1;
  }
  EXPECT_EQ(total, 300u);
  Joining large;
  s = shape(true, true, 1352);
  for (int i = 0; i < 100; ++i) {
    large.add(make_packet(s));
    s.sequence += 1352;
  }
  for (const std::size_t size : large.sizes()) EXPECT_LE(size, 65'535u);
  EXPECT_EQ(large.writes(), 3u);
}

TEST(Coalescer, DatagramsJoinOnlyWhenAsked) {
  for (const bool udp : {false, true}) {
    Joining joining({.tcp = true, .udp = udp});
    for (int i = 0; i < 5; ++i) joining.add(make_packet(shape(true, false, 500)));
    EXPECT_EQ(joining.writes(), udp ? 1u : 5u);
  }
}

TEST(Coalescer, DatagramsWithoutChecksumStayAlone) {
  Joining joining;
  for (int i = 0; i < 2; ++i) {
    ByteVector packet = make_packet(shape(true, false, 500));
    testing::put_u16(packet, 26, 0);
    joining.add(packet);
  }
  EXPECT_EQ(joining.writes(), 2u);
}

TEST(Coalescer, RandomMixesComeOutWholeAndInOrderPerFlow) {
  Rng rng = Rng::from_seed(12);
  for (int round = 0; round < 200; ++round) {
    Joining joining;
    std::map<std::uint16_t, std::vector<ByteVector>> expected;
    std::map<std::uint16_t, Shape> flows;
    for (int i = 0; i < 60; ++i) {
      const bool tcp = rng.chance(0.7);
      const auto port = static_cast<std::uint16_t>(tcp * 100 + rng.below(4));
      Shape& s = flows.try_emplace(port, shape(rng.chance(0.5), tcp, 0)).first->second;
      s.source_port = port;
      s.tcp = tcp;
      s.payload = rng.chance(0.8) ? 300 : rng.below(302);
      s.flags = rng.chance(0.9) ? 0x10 : 0x18;
      if (rng.chance(0.05)) s.sequence += 5;
      const ByteVector packet = make_packet(s);
      expected[port].push_back(packet);
      joining.add(packet);
      s.sequence += static_cast<std::uint32_t>(s.payload);
      ++s.id;
    }
    std::map<std::uint16_t, std::vector<ByteVector>> got;
    for (ByteVector& packet : testing::written(joining.tun)) {
      const bool v4 = (packet[0] >> 4) == std::byte{4};
      const auto port = static_cast<std::uint16_t>(testing::get_u16(packet, v4 ? 20 : 40));
      got[port].push_back(std::move(packet));
    }
    ASSERT_EQ(got, expected) << round;
  }
}

}  // namespace
}  // namespace ginnel::forward
