#include "node/forward/receiver.h"

#include <gtest/gtest.h>

#include <deque>

#include "node/forward/testing/link.h"
#include "proto/control/frame.h"

namespace ginnel::forward {
namespace {

using testing::Link;
using testing::LinkOptions;
using testing::make_packet;
using testing::Shape;
using Kind = ToControl::Kind;

// Node 0 seals by hand or with a transmitter; node 1 receives.
struct Receiving {
  explicit Receiving(LinkOptions options = {}, std::size_t relay_places = 0)
      : link(std::move(options)), receiver(relay_places) {}

  void receive(ByteVector bytes, std::size_t segment_size = 0,
               Endpoint from = testing::endpoint_of(0)) {
    buffers.push_back(std::move(bytes));
    const ReceivedRun run{from, {}, buffers.back(), segment_size};
    for (std::size_t at = 0; at < run.bytes.size();) {
      const std::size_t n = receiver.handle(link.now, *link.tables[1], run, at, out);
      ASSERT_GT(n, 0u);
      at += n;
    }
  }
  ByteVector sealed(ConstBytes plaintext) { return testing::seal(*link.pairs[0], plaintext); }
  std::uint64_t dropped(Drop why) const { return receiver.drops()[why]; }
  // Not counting facts.
  std::vector<ToControl> items() const {
    std::vector<ToControl> got;
    for (const ToControl& item : out.control) {
      if (item.kind != Kind::kFacts) got.push_back(item);
    }
    return got;
  }

  Link link;
  Receiver receiver;
  ReceiveOutput out{{.tcp = true, .udp = true}};
  std::deque<ByteVector> buffers;
};

TEST(Receiver, WhatTheTransmitterSealedComesOutOfTheTunDevice) {
  for (const bool relayed : {false, true}) {
    Receiving to({.relayed = relayed}, 128);
    relay::RelayTable hub(128);
    for (int i = 0; i < 2; ++i) {
      hub.add(to.link.now, {.index = i == 0 ? testing::kIndex0 : testing::kIndex1,
                            .key = Link::relay_key(i),
                            .quota = {.bytes_per_second = 1u << 30, .burst_bytes = 1u << 30}});
    }
    Transmitter transmitter;
    SealedBatch batch;
    for (const bool v4 : {true, false}) {
      for (const bool tcp : {true, false}) {
        for (const std::size_t payload : {1, 1320, 1321, 20'000, 65'400}) {
          to.link.tables[0] = to.link.make_table(0);
          const ByteVector packet = make_packet(to.link.shape(v4, tcp, payload));
          ASSERT_EQ(transmitter.push(to.link.now, *to.link.tables[0],
                                     testing::as_read(packet, 1320), batch).outcome,
                    Outcome::kSealed);
          for (const SealedMessage& message : batch.messages()) {
            ByteVector bytes = to_vector(message.bytes);
            for (std::size_t at = 0; relayed && at < bytes.size(); at += message.segment_size) {
              const std::size_t size = std::min(message.segment_size, bytes.size() - at);
              ASSERT_TRUE(hub.forward(to.link.now, Bytes(bytes).subspan(at, size)));
            }
            to.receive(std::move(bytes), message.segment_size,
                       relayed ? testing::kHub : testing::endpoint_of(0));
          }
          EXPECT_EQ(testing::written(to.out.tun), testing::slow_segments(packet, 1320));
          EXPECT_TRUE(to.items().empty());
          batch.clear();
          to.out.clear();
        }
      }
    }
  }
}

// A known address is not enough: it must be the sender's own.
TEST(Receiver, AnInnerSourceOfAnotherPeerIsDropped) {
  const Address third = Address::v4(10, 66, 0, 9);
  Receiving to({.third_party = third});
  Shape shape = to.link.shape(true, true, 10);
  shape.source = third;
  to.receive(to.sealed(make_packet(shape)));
  EXPECT_EQ(to.dropped(Drop::kWrongSource), 1u);
  EXPECT_TRUE(to.out.tun.empty());
}

TEST(Receiver, AnInnerSourceThatIsNotThePeersIsDropped) {
  Receiving to;
  Shape shape = to.link.shape(true, true, 10);
  for (const Address& source :
       {Address::v4(10, 66, 0, 7), testing::v4_of(1), Address::v4(8, 8, 8, 8)}) {
    shape.source = source;
    to.receive(to.sealed(make_packet(shape)));
  }
  EXPECT_EQ(to.dropped(Drop::kWrongSource), 3u);
  EXPECT_TRUE(to.out.tun.empty());
  shape.source = testing::v4_of(0);
  to.receive(to.sealed(make_packet(shape)));
  EXPECT_FALSE(to.out.tun.empty());
}

TEST(Receiver, IpPacketsOfAProvisionalSessionAreDroppedAndItsFramesAreNot) {
  Receiving to({.ip_allowed = false});
  to.receive(to.sealed(make_packet(to.link.shape(true, true, 10))));
  EXPECT_TRUE(to.out.tun.empty());
  EXPECT_EQ(to.dropped(Drop::kNotReady), 1u);
  to.receive(to.sealed(ByteVector(16, std::byte{1})));
  ASSERT_EQ(to.items().size(), 1u);
  EXPECT_EQ(to.items()[0].kind, Kind::kFrames);
}

TEST(Receiver, FramesOfAStockPeerAreDropped) {
  Receiving to({.takes_frames = false});
  to.receive(to.sealed(ByteVector(16, std::byte{1})));
  EXPECT_TRUE(to.items().empty());
  EXPECT_EQ(to.dropped(Drop::kNotReady), 1u);
}

TEST(Receiver, AReplayAndAForgeryAreCountedApart) {
  Receiving to;
  const ByteVector good = to.sealed(make_packet(to.link.shape(true, true, 10)));
  ByteVector forged = to.sealed(make_packet(to.link.shape(true, true, 10)));
  forged.back() ^= std::byte{1};
  to.receive(good);
  to.receive(good);
  to.receive(forged);
  EXPECT_EQ(to.dropped(Drop::kReplayed), 1u);
  EXPECT_EQ(to.dropped(Drop::kNotAuthentic), 1u);
  EXPECT_EQ(to.out.tun.finish(), 1u);
}

TEST(Receiver, OpenedFramesGoToControlWithTheirPair) {
  Receiving to;
  std::array<std::byte, 32> frame{};
  const std::size_t size = control::write_frame(control::FrameType::kPing, ByteVector(20), frame);
  to.receive(to.sealed(ConstBytes(frame).first(size)));
  ASSERT_EQ(to.items().size(), 1u);
  const ToControl item = to.items()[0];
  EXPECT_EQ(item.kind, Kind::kFrames);
  EXPECT_EQ(item.index, wg::ReceiverIndex(22));
  EXPECT_EQ(item.from, (wg::Route{kSocket, testing::endpoint_of(0)}));
  EXPECT_TRUE(equal(item.bytes, ConstBytes(frame).first(size)));
}

TEST(Receiver, HandshakesAndStunGoToControlAsTheyCame) {
  Receiving to;
  to.receive(*from_hex("0100000000112233"));
  to.receive(*from_hex("000100002112a442000000000000000000000000"));
  to.receive(*from_hex("8100000000"));
  ASSERT_EQ(to.items().size(), 2u);
  for (const ToControl& item : to.items()) EXPECT_EQ(item.kind, Kind::kDatagram);
  EXPECT_EQ(to.dropped(Drop::kReservedOuter), 1u);
}

// Opening belongs to one thread: what is not in the table yet is not opened elsewhere, but comes
// back when it is.
TEST(Receiver, AnUnknownIndexGoesToControlUnopened) {
  Receiving to;
  ByteVector packet = to.sealed(make_packet(to.link.shape(true, true, 10)));
  packet[4] ^= std::byte{1};
  to.receive(packet);
  ASSERT_EQ(to.items().size(), 1u);
  EXPECT_EQ(to.items()[0].kind, Kind::kUnknownIndex);
  EXPECT_EQ(to.items()[0].index, wg::ReceiverIndex(22 ^ 1));
  EXPECT_TRUE(equal(to.items()[0].bytes, packet));
}

TEST(Receiver, TheFirstPacketUnderAPairConfirmsItOnce) {
  Receiving to;
  to.receive(to.sealed({}));
  ASSERT_EQ(to.out.control.size(), 1u);
  EXPECT_EQ(to.out.control[0].kind, Kind::kFacts);
  EXPECT_TRUE(to.out.control[0].confirmed);
  EXPECT_FALSE(to.out.control[0].is_new_source);
  EXPECT_EQ(to.link.pairs[1]->activity().received(), to.link.now);
  to.receive(to.sealed({}));
  EXPECT_EQ(to.out.control.size(), 1u);
}

TEST(Receiver, ANewSourceIsReportedOnceAuthenticatedAndNotTooOften) {
  Receiving to;
  const Endpoint elsewhere{Address::v4(198, 51, 100, 1), 9};
  ByteVector forged = to.sealed({});
  forged.back() ^= std::byte{1};
  to.receive(forged, 0, elsewhere);
  EXPECT_TRUE(to.out.control.empty());
  for (int i = 0; i < 5; ++i) to.receive(to.sealed({}), 0, elsewhere);
  ASSERT_EQ(to.out.control.size(), 1u);
  EXPECT_TRUE(to.out.control[0].is_new_source);
  EXPECT_EQ(to.out.control[0].from.endpoint, elsewhere);
  to.link.now = to.link.now + Receiver::kSourceInterval;
  to.receive(to.sealed({}), 0, elsewhere);
  EXPECT_EQ(to.out.control.size(), 2u);
}

TEST(Receiver, ARelayedPacketForAnotherNodeOrWithAWrongTagIsDropped) {
  Receiving to({.relayed = true});
  const auto relayed = [&](relay::Index destination, const crypto::SipKey& key) {
    ByteVector packet(relay::kHeaderBytes);
    const ByteVector inner = to.sealed({});
    packet.insert(packet.end(), inner.begin(), inner.end());
    relay::write_header({testing::kIndex0, relay::kHopsFromHub, destination, 0}, key, packet);
    return packet;
  };
  to.receive(relayed(testing::kIndex0, Link::relay_key(1)));
  to.receive(relayed(testing::kIndex1, Link::relay_key(0)));
  EXPECT_EQ(to.dropped(Drop::kRelay), 2u);
  EXPECT_TRUE(to.out.control.empty());
  to.receive(relayed(testing::kIndex1, Link::relay_key(1)));
  ASSERT_EQ(to.out.control.size(), 1u);  // confirmed
  EXPECT_EQ(to.out.control[0].from,
            (wg::Route{testing::kHubPath, {Address::v4(testing::kIndex0.value()), 0}}));
  EXPECT_FALSE(to.out.control[0].is_new_source);
}

// At the hub.
struct HubTest : ::testing::Test {
  HubTest() {
    for (std::uint32_t i = 0; i < 3; ++i) {
      RelayChange add;
      add.attachment = {.index = relay::Index(10 + i),
                        .key = testing::sip_key(static_cast<std::uint8_t>(i)),
                        .path = i == 2 ? PathId(50) : kSocket,
                        .to = testing::endpoint_of(static_cast<int>(i))};
      hub.receiver.apply(hub.link.now, add);
    }
  }
  // `count` packets of 100 bytes from node 0 in one run.
  ByteVector run(std::uint32_t destination, std::size_t count, std::uint8_t key = 0) {
    ByteVector out(100 * count);
    for (std::size_t i = 0; i < count; ++i) {
      relay::write_header({relay::Index(10), relay::kHopsFromNode, relay::Index(destination), 0},
                          testing::sip_key(key), Bytes(out).subspan(100 * i, 100));
    }
    return out;
  }
  Receiving hub{{}, 16};
};

TEST_F(HubTest, ARunForOneNodeIsPassedOnAsOneSend) {
  hub.receive(run(11, 5), 100);
  ASSERT_EQ(hub.out.relayed.size(), 1u);
  const Relayed& relayed = hub.out.relayed[0];
  EXPECT_EQ(relayed.to, testing::endpoint_of(1));
  EXPECT_EQ(relayed.segments, 5u);
  EXPECT_EQ(relayed.segment_size, 100u);
  for (std::size_t at = 0; at < relayed.bytes.size(); at += 100) {
    EXPECT_TRUE(
        relay::open(relayed.bytes.subspan(at, 100), relay::Index(11), testing::sip_key(1)));
  }
}

TEST_F(HubTest, WhatTheTableRefusesIsDropped) {
  hub.receive(run(11, 1, 9));
  hub.receive(run(15, 1));
  EXPECT_EQ(hub.dropped(Drop::kRelay), 2u);
  EXPECT_EQ(hub.receiver.relay_table()->dropped(relay::Drop::kBadTag), 1u);
  RelayChange remove;
  remove.kind = RelayChange::Kind::kRemove;
  remove.attachment.index = relay::Index(11);
  hub.receiver.apply(hub.link.now, remove);
  hub.receive(run(11, 1));
  EXPECT_EQ(hub.dropped(Drop::kRelay), 3u);
  EXPECT_TRUE(hub.out.relayed.empty());
}

TEST_F(HubTest, ANodeThatMovedIsReachedAtItsNewAddress) {
  RelayChange move;
  move.kind = RelayChange::Kind::kMove;
  move.attachment = {.index = relay::Index(11), .to = testing::endpoint_of(9)};
  hub.receiver.apply(hub.link.now, move);
  hub.receive(run(11, 1));
  ASSERT_EQ(hub.out.relayed.size(), 1u);
  EXPECT_EQ(hub.out.relayed[0].to, testing::endpoint_of(9));
}

TEST_F(HubTest, ANodeThatIsAttachedByAStreamIsControls) {
  hub.receive(run(12, 1));
  ASSERT_EQ(hub.items().size(), 1u);
  EXPECT_EQ(hub.items()[0].kind, Kind::kRelayed);
  EXPECT_EQ(hub.items()[0].from.path, PathId(50));
}

TEST(Receiver, AFullOutputStopsARunAndTheRestIsTakenUpAgain) {
  Receiving to;
  const std::size_t count = ReceiveOutput::kControlMax * 2;
  ByteVector bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteVector one = to.sealed(ByteVector(16, std::byte{1}));
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  const ReceivedRun run{testing::endpoint_of(0), {}, bytes, 48};
  std::size_t frames = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    at += to.receiver.handle(to.link.now, *to.link.tables[1], run, at, to.out);
    frames += to.items().size();
    to.out.clear();
  }
  EXPECT_EQ(frames, count);
}

}  // namespace
}  // namespace ginnel::forward
