#include "node/forward/icmp.h"

#include <gtest/gtest.h>

#include "node/forward/testing/link.h"

namespace ginnel::forward {
namespace {

using testing::make_packet;

struct IcmpTest : ::testing::Test {
  ByteVector packet(bool v4, std::size_t payload = 1400) {
    return make_packet({.v4 = v4,
                        .tcp = false,
                        .source = v4 ? testing::v4_of(0) : testing::v6_of(0),
                        .destination = v4 ? testing::v4_of(1) : testing::v6_of(1),
                        .payload = payload});
  }
  ConstBytes too_big(const ByteVector& p, std::size_t mtu = 1300) {
    const IpPacket ip = *IpPacket::parse(p);
    return icmp.too_big(now, p, ip, mtu);
  }
  IcmpAnswers icmp;
  Instant now{1'000'000'000'000};
};

// RFC 1191 section 4.
TEST_F(IcmpTest, AnIpv4PacketThatIsTooBigIsAnsweredWithTheMtu) {
  const ByteVector p = packet(true);
  const ConstBytes answer = too_big(p);
  ASSERT_EQ(answer.size(), kVnetHeaderBytes + 576);
  const ConstBytes ip = answer.subspan(kVnetHeaderBytes);
  const auto header = IpPacket::parse(ip);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->source, testing::v4_of(1));
  EXPECT_EQ(header->destination, testing::v4_of(0));
  EXPECT_EQ(testing::slow_sum(ip.first(20)), 0xffff);
  EXPECT_EQ(testing::slow_sum(ip.subspan(20)), 0xffff);
  EXPECT_EQ(to_hex(ip.subspan(20, 2)), "0304");
  EXPECT_EQ(to_hex(ip.subspan(24, 4)), "00000514");  // 1300
  EXPECT_TRUE(equal(ip.subspan(28), ConstBytes(p).first(548)));
}

// RFC 4443 section 3.2.
TEST_F(IcmpTest, AnIpv6PacketThatIsTooBigIsAnsweredWithTheMtu) {
  const ByteVector p = packet(false);
  const ConstBytes answer = too_big(p);
  ASSERT_EQ(answer.size(), kVnetHeaderBytes + 1280);
  const ConstBytes ip = answer.subspan(kVnetHeaderBytes);
  ASSERT_TRUE(IpPacket::parse(ip));
  EXPECT_EQ(to_hex(ip.subspan(40, 2)), "0200");
  EXPECT_EQ(to_hex(ip.subspan(44, 4)), "00000514");
  std::uint64_t pseudo = testing::slow_sum(ip.subspan(8, 32)) + 1240u + 58u;
  EXPECT_EQ(testing::slow_sum(ip.subspan(40), pseudo), 0xffff);
  EXPECT_TRUE(equal(ip.subspan(48), ConstBytes(p).first(1232)));
}

TEST_F(IcmpTest, ADestinationWithoutAPeerIsUnreachable) {
  const ByteVector p4 = packet(true, 10);
  ConstBytes answer = icmp.unreachable(now, p4, *IpPacket::parse(p4));
  ASSERT_EQ(answer.size(), kVnetHeaderBytes + 28 + p4.size());
  EXPECT_EQ(to_hex(answer.subspan(kVnetHeaderBytes + 20, 2)), "0301");
  EXPECT_EQ(IpPacket::parse(answer.subspan(kVnetHeaderBytes))->source, testing::v4_of(1));
  const ByteVector p6 = packet(false, 10);
  answer = icmp.unreachable(now, p6, *IpPacket::parse(p6));
  ASSERT_EQ(answer.size(), kVnetHeaderBytes + 48 + p6.size());
  EXPECT_EQ(to_hex(answer.subspan(kVnetHeaderBytes + 40, 2)), "0103");
}

// RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e).
TEST_F(IcmpTest, ErrorsMulticastsAndLaterFragmentsAreNotAnswered) {
  ByteVector p = packet(true);
  p[9] = std::byte{kProtocolIcmp};
  for (const int type : {3, 4, 5, 11, 12}) {
    p[20] = static_cast<std::byte>(type);
    EXPECT_TRUE(too_big(p).empty()) << type;
  }
  p[20] = std::byte{8};  // an echo request
  EXPECT_FALSE(too_big(p).empty());

  ByteVector v6 = packet(false);
  v6[6] = std::byte{kProtocolIcmp6};
  v6[40] = std::byte{1};
  EXPECT_TRUE(too_big(v6).empty());
  v6[40] = std::byte{128};
  EXPECT_FALSE(too_big(v6).empty());

  ByteVector multicast = packet(true);
  multicast[16] = std::byte{224};
  EXPECT_TRUE(too_big(multicast).empty());
  ByteVector fragment = packet(true);
  fragment[7] = std::byte{1};
  EXPECT_TRUE(too_big(fragment).empty());
  ByteVector unspecified = packet(true);
  std::fill_n(unspecified.begin() + 12, 4, std::byte{0});
  EXPECT_TRUE(too_big(unspecified).empty());
}

TEST_F(IcmpTest, TheRateOfAnswersIsLimited) {
  const ByteVector p = packet(true);
  const auto burst = [&] {
    std::size_t n = 0;
    while (n < 10'000 && !too_big(p).empty()) ++n;
    return n;
  };
  EXPECT_EQ(burst(), kIcmpBurst);
  now = now + 10ms;
  EXPECT_EQ(burst(), kIcmpPerSecond / 100);
  now = now + 1h;
  EXPECT_EQ(burst(), kIcmpBurst);
}

}  // namespace
}  // namespace ginnel::forward
