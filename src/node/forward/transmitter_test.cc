#include "node/forward/transmitter.h"

#include <gtest/gtest.h>

#include "node/forward/testing/link.h"
#include "proto/control/fragment.h"

namespace ginnel::forward {
namespace {

using testing::as_plain_read;
using testing::as_read;
using testing::Link;
using testing::LinkOptions;
using testing::make_packet;
using testing::Shape;
using testing::slow_segments;

// Node 0 sends; node 1 opens by hand.
struct Sending {
  explicit Sending(LinkOptions options = {}) : link(std::move(options)) {}

  Pushed push(ConstBytes read) { return transmitter.push(link.now, *link.tables[0], read, batch); }
  // Everything of one read, over as many batches as it takes.
  std::vector<ByteVector> carry(ConstBytes read) {
    std::vector<ByteVector> out;
    for (;;) {
      const Outcome outcome = push(read).outcome;
      for (auto& packet : take()) out.push_back(std::move(packet));
      if (outcome == Outcome::kSealed) return out;
      if (outcome != Outcome::kFull) {
        ADD_FAILURE() << "outcome " << static_cast<int>(outcome);
        return out;
      }
    }
  }
  // Opens the batch: plaintexts with their padding.
  std::vector<ByteVector> take() {
    std::vector<ByteVector> out;
    for (const SealedMessage& message : batch.messages()) {
      EXPECT_LE(message.segments, kSegmentsMax);
      EXPECT_LE(message.bytes.size(), kMessageBytesMax);
      std::size_t count = 0;
      for (std::size_t at = 0; at < message.bytes.size(); at += message.segment_size, ++count) {
        const Bytes datagram = message.bytes.subspan(
            at, std::min(message.segment_size, message.bytes.size() - at));
        const auto plaintext = link.pairs[1]->open(link.now, datagram);
        EXPECT_TRUE(plaintext) << "at " << at;
        if (plaintext) out.push_back(to_vector(*plaintext));
      }
      EXPECT_EQ(count, message.segments);
    }
    batch.clear();
    return out;
  }
  std::uint64_t dropped(Drop why) const { return transmitter.drops()[why]; }

  Link link;
  Transmitter transmitter;
  SealedBatch batch;
};

std::vector<ByteVector> without_padding(std::vector<ByteVector> packets) {
  for (ByteVector& packet : packets) packet.resize(IpPacket::parse(packet)->size);
  return packets;
}

TEST(Transmitter, WhatIsOpenedIsWhatTheSlowSegmenterMakes) {
  Sending sending;
  for (const bool v4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (const std::size_t payload : {1, 2, 1351, 1352, 1353, 5000, 30'001, 65'400}) {
        for (const std::size_t gso_size : {1301, 1320, 999}) {
          const ByteVector packet = make_packet(sending.link.shape(v4, tcp, payload));
          ASSERT_EQ(without_padding(sending.carry(as_read(packet, gso_size))),
                    slow_segments(packet, gso_size))
              << v4 << tcp << " " << payload << " " << gso_size;
        }
      }
    }
  }
}

TEST(Transmitter, ATinySegmentSizeTakesSeveralBatches) {
  Sending sending;
  Shape shape = sending.link.shape(true, true, 20'000);
  shape.options = 0;
  const ByteVector packet = make_packet(shape);
  EXPECT_EQ(without_padding(sending.carry(as_read(packet, 1))), slow_segments(packet, 1));
  EXPECT_EQ(sending.link.tables[0]->destinations()[0].traffic->sent_packets.load(), 20'000u);
}

// WireGuard section 5.4.6, and wireguard-go calculatePaddingSize.
TEST(Transmitter, PacketsArePaddedToSixteenButNotPastTheMtu) {
  Sending sending({.mtu_bytes = 1390});
  for (std::size_t size = 28; size <= 1390; ++size) {
    const ByteVector packet = make_packet(sending.link.shape(true, false, size - 28));
    const auto opened = sending.carry(as_plain_read(packet));
    ASSERT_EQ(opened.size(), 1u);
    ASSERT_EQ(opened[0].size(), std::min<std::size_t>((size + 15) / 16 * 16, 1390));
    ASSERT_TRUE(std::all_of(opened[0].begin() + static_cast<std::ptrdiff_t>(size), opened[0].end(),
                            [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST(Transmitter, ASuperPacketIsOneSendOfEqualDatagrams) {
  Sending sending;
  const ByteVector packet = make_packet(sending.link.shape(true, true, 20'000));
  ASSERT_EQ(sending.push(as_read(packet, 1340)).outcome, Outcome::kSealed);
  ASSERT_EQ(sending.batch.messages().size(), 1u);
  const SealedMessage& message = sending.batch.messages()[0];
  EXPECT_EQ(message.segments, 15u);
  EXPECT_EQ(message.segment_size, 1392 + wg::kDataOverheadBytes);
  EXPECT_EQ(message.to, testing::endpoint_of(1));
  EXPECT_EQ(message.bytes.size(), 14 * message.segment_size + (52 + 1240 + 4) + 32);
}

// linux net/core/dev.c gso_features_check: `skb->len >= gso_max_size` is split in software.
TEST(Transmitter, ASendWithItsHeadersStaysBelowTheLengthThatDevicesSegment) {
  Sending sending;
  const ByteVector packet = make_packet(sending.link.shape(true, true, 65'000));
  ASSERT_EQ(sending.push(as_read(packet, 1340)).outcome, Outcome::kSealed);
  ASSERT_EQ(sending.batch.messages().size(), 2u);
  for (const SealedMessage& message : sending.batch.messages()) {
    EXPECT_LT(message.bytes.size() + 40 + 8 + 18, 65'536u);  // IPv6, UDP, Ethernet with VLAN
  }
}

TEST(Transmitter, EqualPacketsToOnePeerJoinOneSendUntilAShorterOne) {
  Sending sending;
  for (const std::size_t payload : {1000, 1000, 1000, 500, 1000}) {
    const ByteVector packet = make_packet(sending.link.shape(true, false, payload));
    ASSERT_EQ(sending.push(as_plain_read(packet)).outcome, Outcome::kSealed);
  }
  ASSERT_EQ(sending.batch.messages().size(), 2u);
  EXPECT_EQ(sending.batch.messages()[0].segments, 4u);
  EXPECT_EQ(sending.batch.messages()[1].segments, 1u);
}

TEST(Transmitter, CountersAreTakenOncePerDatagram) {
  Sending sending;
  const ByteVector packet = make_packet(sending.link.shape(true, true, 13'400));
  ASSERT_EQ(sending.push(as_read(packet, 1340)).outcome, Outcome::kSealed);
  EXPECT_EQ(sending.link.pairs[0]->messages_sent(), 10u);
  EXPECT_EQ(sending.link.pairs[0]->activity().sent(), sending.link.now);
}

TEST(Transmitter, RelayedPacketsCarryAHeaderThatTheHubAccepts) {
  Sending sending({.relayed = true});
  const ByteVector packet = make_packet(sending.link.shape(true, true, 3000));
  ASSERT_EQ(sending.push(as_read(packet, 1340)).outcome, Outcome::kSealed);
  relay::RelayTable hub(128);
  hub.add(sending.link.now, {.index = testing::kIndex0, .key = Link::relay_key(0)});
  hub.add(sending.link.now, {.index = testing::kIndex1, .key = Link::relay_key(1)});
  const SealedMessage& message = sending.batch.messages()[0];
  EXPECT_EQ(message.to, testing::kHub);
  EXPECT_EQ(message.segments, 3u);
  for (std::size_t at = 0; at < message.bytes.size(); at += message.segment_size) {
    const Bytes datagram =
        message.bytes.subspan(at, std::min(message.segment_size, message.bytes.size() - at));
    ASSERT_TRUE(hub.forward(sending.link.now, datagram));
    const auto opened = relay::open(datagram, testing::kIndex1, Link::relay_key(1));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(sending.link.pairs[1]->open(sending.link.now, opened->payload));
  }
}

TEST(Transmitter, ADestinationWithoutAPeerIsAnsweredUnreachable) {
  Sending sending;
  Shape shape = sending.link.shape(true, true, 10);
  shape.destination = Address::v4(10, 66, 9, 9);
  const Pushed pushed = sending.push(as_plain_read(make_packet(shape)));
  EXPECT_EQ(pushed.outcome, Outcome::kDropped);
  EXPECT_FALSE(pushed.answer.empty());
  EXPECT_EQ(sending.dropped(Drop::kNoRoute), 1u);
}

TEST(Transmitter, APacketThatMayNotBeFragmentedIsAnsweredWithTheMtu) {
  for (const bool v4 : {true, false}) {
    Sending sending({.mtu_bytes = 1300});
    const ByteVector packet = make_packet(sending.link.shape(v4, true, 5000));
    const Pushed pushed = sending.push(as_read(packet, 1320));
    EXPECT_EQ(pushed.outcome, Outcome::kDropped);
    ASSERT_FALSE(pushed.answer.empty());
    const std::size_t icmp = kVnetHeaderBytes + (v4 ? 20 : 40);
    EXPECT_EQ(to_hex(pushed.answer.subspan(icmp + 4, 4)), "00000514");
    EXPECT_EQ(sending.dropped(Drop::kTooBig), 1u);
    EXPECT_TRUE(sending.batch.empty());
  }
}

TEST(Transmitter, OneByteMoreThanTheMtuIsTooBig) {
  Sending sending({.mtu_bytes = 1300});
  const std::size_t headers = make_packet(sending.link.shape(true, false, 0)).size();
  for (const std::size_t size : {std::size_t{1300}, std::size_t{1301}}) {
    const ByteVector packet = make_packet(sending.link.shape(true, false, size - headers));
    ASSERT_EQ(packet.size(), size);
    const Outcome outcome = sending.push(as_plain_read(packet)).outcome;
    EXPECT_EQ(outcome, size == 1300 ? Outcome::kSealed : Outcome::kDropped);
  }
}

// docs/design.md section 3: answered "where the protocol's minimum permits, else carried as a
// two-part fragment".
void expect_fragments(Sending& sending, ConstBytes packet, ConstBytes read, std::size_t gso_size) {
  control::Reassembler reassembler;
  std::vector<ByteVector> whole;
  for (const ByteVector& plaintext : sending.carry(read)) {
    control::FrameReader frames(plaintext);
    const auto frame = frames.next();
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame->type, control::FrameType::kFragment);
    const auto fragment = control::parse_fragment(frame->body);
    ASSERT_TRUE(fragment);
    if (auto done = reassembler.add(sending.link.now, *fragment)) whole.push_back(std::move(*done));
  }
  EXPECT_EQ(whole, slow_segments(packet, gso_size));
}

TEST(Transmitter, AnIpv4PacketWithoutDontFragmentIsCarriedInTwoParts) {
  Sending sending({.mtu_bytes = 1200});
  Shape shape = sending.link.shape(true, false, 60'000);
  shape.dont_fragment = false;
  const ByteVector packet = make_packet(shape);
  expect_fragments(sending, packet, as_read(packet, 1340), 1340);
}

TEST(Transmitter, AnIpv6PacketOnAPathBelow1280IsCarriedInTwoParts) {
  Sending sending({.mtu_bytes = 1000});
  const ByteVector packet = make_packet(sending.link.shape(false, true, 5000));
  expect_fragments(sending, packet, as_read(packet, 1200), 1200);
}

TEST(Transmitter, WhatTwoPartsDoNotHoldIsDropped) {
  Sending sending({.mtu_bytes = 500});
  Shape shape = sending.link.shape(true, false, 1300);
  shape.dont_fragment = false;
  EXPECT_EQ(sending.push(as_plain_read(make_packet(shape))).outcome, Outcome::kDropped);
  EXPECT_EQ(sending.dropped(Drop::kTooBig), 1u);
}

TEST(Transmitter, AStockPeerGetsNoFragment) {
  Sending sending({.mtu_bytes = 1200, .takes_frames = false});
  Shape shape = sending.link.shape(true, false, 1300);
  shape.dont_fragment = false;
  const Pushed pushed = sending.push(as_plain_read(make_packet(shape)));
  EXPECT_EQ(pushed.outcome, Outcome::kDropped);
  EXPECT_FALSE(pushed.answer.empty());
}

TEST(Transmitter, SlowExpiredAndExhaustedDestinationsAreLeftToControl) {
  const auto read_of = [](Sending& s) {
    return as_plain_read(make_packet(s.link.shape(true, true, 9)));
  };
  Sending slow({.slow = true});
  EXPECT_EQ(slow.push(read_of(slow)).outcome, Outcome::kToControl);
  Sending expired;
  expired.link.now = expired.link.now + 180s;
  EXPECT_EQ(expired.push(read_of(expired)).outcome, Outcome::kToControl);
  Sending exhausted({.reject_after_messages = 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(exhausted.push(read_of(exhausted)).outcome, Outcome::kSealed);
  }
  EXPECT_EQ(exhausted.push(read_of(exhausted)).outcome, Outcome::kToControl);
  EXPECT_EQ(exhausted.link.pairs[0]->messages_sent(), 3u);
}

TEST(Transmitter, AReadThatControlTakesOverHalfWayBeginsBehindWhatWasSealed) {
  Sending sending;
  const ByteVector read = as_read(make_packet(sending.link.shape(true, true, 60'000)), 10);
  ASSERT_EQ(sending.push(read).outcome, Outcome::kFull);
  const std::size_t sealed = sending.take().size();
  sending.link.now = sending.link.now + 180s;
  const Pushed pushed = sending.push(read);
  EXPECT_EQ(pushed.outcome, Outcome::kToControl);
  EXPECT_EQ(pushed.first_segment, sealed);
}

TEST(Transmitter, GarbageIsCountedAndDropped) {
  Sending sending;
  EXPECT_EQ(sending.push({}).outcome, Outcome::kDropped);
  EXPECT_EQ(sending.push(ByteVector(30, std::byte{0x11})).outcome, Outcome::kDropped);
  EXPECT_EQ(sending.dropped(Drop::kNotIp), 2u);
}

}  // namespace
}  // namespace ginnel::forward
