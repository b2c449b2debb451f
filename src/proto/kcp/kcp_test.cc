// One end against datagrams that nobody honest would send; and what a conversation costs.
#include "proto/kcp/kcp.h"

#include <gtest/gtest.h>

#include "crypto/testing/allocations.h"
#include "proto/kcp/testing/pair.h"

namespace ginnel::kcp {
namespace {

constexpr Conv kOneConv{9};
constexpr Instant kNow{5'000'000'000};

ByteVector datagram(std::initializer_list<Segment> segments) {
  ByteVector out;
  for (const Segment& segment : segments) {
    const std::size_t at = out.size();
    out.resize(at + kHeaderBytes + segment.payload.size());
    Writer writer(Bytes(out).subspan(at));
    write_header(writer, segment, segment.payload.size());
    writer.put(segment.payload);
  }
  return out;
}

Segment segment(Cmd cmd, std::uint32_t sn = 0, std::uint32_t una = 0) {
  return {
      .conv = kOneConv, .cmd = cmd, .wnd = 128, .ts = Timestamp(5000), .sn = Sn(sn), .una = Sn(una)};
}
Segment push(std::uint32_t sn, std::string_view payload) {
  Segment out = segment(Cmd::kPush, sn);
  out.payload = bytes_of(payload);
  return out;
}

std::vector<ByteVector> poll(Kcp& kcp, Instant now = kNow) {
  std::vector<ByteVector> out;
  std::array<std::byte, 2000> slot;
  while (const auto transmit = kcp.poll_transmit(now, slot)) {
    out.push_back(to_vector(ConstBytes(slot).first(transmit->size)));
  }
  return out;
}

std::uint64_t drops(const Kcp& kcp, Drop drop) {
  return kcp.counters().drops[static_cast<std::size_t>(drop)];
}

class HostileInput : public ::testing::Test {
 protected:
  HostileInput() {
    EXPECT_TRUE(kcp.send(bytes_of("abc")));
    poll(kcp);
  }
  Drop refused(const ByteVector& bytes) {
    const auto result = kcp.handle_segments(kNow, bytes);
    EXPECT_FALSE(result);
    EXPECT_EQ(drops(kcp, result.error()), ++expected_[static_cast<std::size_t>(result.error())]);
    return result.error();
  }
  void expect_unchanged() {
    EXPECT_EQ(kcp.sender().una(), Sn(0));
    EXPECT_EQ(kcp.sender().nxt(), Sn(1));
    EXPECT_EQ(kcp.sender().bytes(), 3u);
    EXPECT_EQ(kcp.receiver().held_bytes(), 0u);
    EXPECT_EQ(kcp.sender().remote_window(), 128u);
    EXPECT_EQ(kcp.sender().rtt().srtt(), 0ms);
    EXPECT_TRUE(kcp.receiver().acks().empty());
  }

  Kcp kcp{{.conv = kOneConv}};

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Drop::kCount)> expected_{};
};

TEST_F(HostileInput, ShortForeignUnknownAndTruncatedDatagramsChangeNothing) {
  EXPECT_EQ(refused({}), Drop::kTooShort);
  EXPECT_EQ(refused(ByteVector(23)), Drop::kTooShort);
  Segment foreign = push(0, "x");
  foreign.conv = Conv(10);
  foreign.una = Sn(1);
  EXPECT_EQ(refused(datagram({foreign, push(0, "x")})), Drop::kForeignConv);
  ByteVector unknown = datagram({push(0, "x")});
  unknown[4] = std::byte{80};
  EXPECT_EQ(refused(unknown), Drop::kUnknownCmd);
  ByteVector truncated = datagram({push(0, "xyz")});
  truncated.pop_back();
  EXPECT_EQ(refused(truncated), Drop::kTruncated);
  expect_unchanged();
}

TEST_F(HostileInput, AcknowledgingWhatWasNeverSentIsIgnored) {
  Segment closed = segment(Cmd::kWins, 0, 2);
  closed.wnd = 0;
  EXPECT_EQ(refused(datagram({closed})), Drop::kNeverSent);
  EXPECT_EQ(refused(datagram({segment(Cmd::kAck, 1)})), Drop::kNeverSent);
  EXPECT_EQ(refused(datagram({segment(Cmd::kAck, 0x7fffffff)})), Drop::kNeverSent);
  EXPECT_EQ(refused(datagram({segment(Cmd::kAck, 0, 0x7fffffff)})), Drop::kNeverSent);
  expect_unchanged();
}

// RFC 1982 section 3.2 leaves numbers half the range apart unordered: such a una was taken for a
// new one and walked over two thousand million segments. Found by the fuzzer.
TEST_F(HostileInput, AUnaHalfOfAllNumbersAwayIsIgnored) {
  EXPECT_TRUE(kcp.handle_segments(kNow, datagram({segment(Cmd::kWins, 0, 1)})));
  for (const std::uint32_t away : {0x7fffffffu, 0x80000000u, 0x80000001u}) {
    const ByteVector bytes = datagram({segment(Cmd::kWins, 0, 1 + away)});
    EXPECT_EQ(kcp.handle_segments(kNow, bytes).has_value(), away > 0x80000000) << away;
    ASSERT_EQ(kcp.sender().una(), Sn(1)) << away;
  }
}

TEST_F(HostileInput, QueuedSegmentsHaveNotBeenSentYet) {
  ASSERT_TRUE(kcp.send(bytes_of("def")));  // not polled
  EXPECT_EQ(refused(datagram({segment(Cmd::kAck, 1)})), Drop::kNeverSent);
  EXPECT_EQ(refused(datagram({segment(Cmd::kWins, 0, 2)})), Drop::kNeverSent);
  EXPECT_EQ(poll(kcp).size(), 1u);
  EXPECT_TRUE(kcp.handle_segments(kNow, datagram({segment(Cmd::kWins, 0, 2)})));
  EXPECT_EQ(kcp.sender().bytes(), 0u);
}

TEST_F(HostileInput, WhatStandsBeforeAnErrorIsUsed) {
  ByteVector bytes = datagram({segment(Cmd::kAck, 0), push(0, "x")});
  bytes.pop_back();
  EXPECT_EQ(refused(bytes), Drop::kTruncated);
  EXPECT_EQ(kcp.sender().bytes(), 0u);
  EXPECT_EQ(kcp.receiver().held_bytes(), 0u);
}

TEST_F(HostileInput, EchoesFromTheFutureOrTheFarPastAreNoRoundTrips) {
  for (const std::uint32_t ts : {5001u, 0x7fffffffu, 0xffff0000u, 0x80000000u}) {
    Segment ack = segment(Cmd::kAck, 0);
    ack.ts = Timestamp(ts);
    EXPECT_TRUE(kcp.handle_segments(kNow, datagram({ack})));
    EXPECT_EQ(kcp.sender().rtt().rto(), 200ms) << ts;
  }
}

TEST_F(HostileInput, NumbersPastTheWindowAreNeitherKeptNorAnswered) {
  EXPECT_EQ(refused(datagram({push(1024, "x")})), Drop::kOutOfWindow);
  EXPECT_EQ(refused(datagram({push(0x7fffffff, "x")})), Drop::kOutOfWindow);
  EXPECT_TRUE(poll(kcp).empty());
  expect_unchanged();
}

TEST_F(HostileInput, AWindowOfZeroFromALateDatagramIsNotBelieved) {
  EXPECT_TRUE(kcp.handle_segments(kNow, datagram({segment(Cmd::kAck, 0, 1)})));
  Segment late = segment(Cmd::kWins, 0, 0);
  late.wnd = 0;
  EXPECT_TRUE(kcp.handle_segments(kNow, datagram({late})));
  EXPECT_EQ(kcp.sender().remote_window(), 128u);
}

TEST(Kcp, ASlotTooSmallForTheNextSegmentIsLeftAlone) {
  Kcp kcp({.conv = kOneConv});
  ASSERT_TRUE(kcp.send(ByteVector(1000)));
  std::array<std::byte, 1023> small{};
  EXPECT_EQ(kcp.poll_transmit(kNow, small), std::nullopt);
  EXPECT_EQ(kcp.poll_transmit(kNow, {}), std::nullopt);
  EXPECT_EQ(poll(kcp).at(0).size(), 1024u);
}

// What a full socket held back leaves later, with the time at which it left.
TEST(Kcp, ASegmentHeldBackByTheSocketGetsItsTimestampWhenItLeaves) {
  Kcp kcp(Config::compatible(kOneConv).nodelay(1, 10, 2, 1));
  ASSERT_TRUE(kcp.send(bytes_of("x")));
  kcp.handle_timeout(kNow);
  const auto sent = poll(kcp, kNow + 700ms);
  ASSERT_EQ(sent.size(), 1u);
  Reader reader(sent[0]);
  EXPECT_EQ(parse_segment(reader)->ts, Timestamp(5700));
  kcp.handle_timeout(kNow + 899ms);
  EXPECT_TRUE(poll(kcp, kNow + 899ms).empty());
  kcp.handle_timeout(kNow + 910ms);
  EXPECT_EQ(poll(kcp, kNow + 910ms).size(), 1u);
}

TEST(Kcp, CompatibleSendsNothingBeforeTheFirstTimeout) {
  Kcp kcp(Config::compatible(kOneConv));
  ASSERT_TRUE(kcp.send(bytes_of("x")));
  EXPECT_TRUE(poll(kcp).empty());
  EXPECT_EQ(kcp.next_timeout(), Instant{0});
}

// Config: congestion_window of the reference opens at the end of the first flush.
TEST(Kcp, CompatibleWithCongestionWindowSendsOneSegmentAtTheSecondFlush) {
  Kcp kcp(Config::compatible(kOneConv));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(kcp.send(bytes_of("x")));
  kcp.handle_timeout(kNow);
  EXPECT_TRUE(poll(kcp).empty());
  kcp.handle_timeout(kNow + 100ms);
  EXPECT_EQ(poll(kcp, kNow + 100ms).at(0).size(), kHeaderBytes + 1);
}

TEST(Kcp, MessagesLargerThanTheLimitFailForGoodAndOthersWaitForRoom) {
  Config config{.conv = kOneConv, .framing = Framing::kMessage, .send_bytes_max = 100'000};
  Kcp kcp(config);
  EXPECT_EQ(kcp.message_bytes_max(), 100'000u);
  EXPECT_EQ(kcp.send(ByteVector(100'001)).error(), SendError::kTooLarge);
  EXPECT_EQ(kcp.send(ByteVector(60'000)).value(), 60'000u);
  EXPECT_EQ(kcp.send(ByteVector(60'000)).error(), SendError::kNoRoom);
  EXPECT_EQ(kcp.send(ByteVector(40'000)).value(), 40'000u);
  kcp.set_mtu(524);
  EXPECT_EQ(kcp.message_bytes_max(), 127u * 500);
}

TEST(Kcp, SegmentsInTheQueueAreBoundedHoweverShort) {
  Kcp kcp({.conv = kOneConv, .framing = Framing::kMessage, .send_window_segments = 16});
  int taken = 0;
  while (kcp.send({})) ++taken;
  EXPECT_EQ(taken, 16 + 256);
}

TEST(Kcp, WhatAPeerAsksForItIsTold) {
  Kcp kcp({.conv = kOneConv});
  EXPECT_TRUE(kcp.handle_segments(kNow, datagram({segment(Cmd::kWask), segment(Cmd::kWask)})));
  const auto sent = poll(kcp);
  ASSERT_EQ(sent.size(), 1u);
  Reader reader(sent[0]);
  const auto told = parse_segment(reader);
  EXPECT_EQ(told->cmd, Cmd::kWins);
  EXPECT_EQ(told->wnd, 762);  // a mebibyte in segments of 1376
  EXPECT_TRUE(reader.finished());
}

// No allocation on the way of a datagram, once the buffers have their size.
TEST(Kcp, AStreamInOrderAllocatesNothingOnceItRuns) {
  if (!ginnel::testing::allocations_are_counted()) GTEST_SKIP() << "a sanitizer owns malloc";
  Kcp a({.conv = kOneConv});
  Kcp b({.conv = kOneConv});
  std::array<std::byte, 1400> slot;
  std::array<std::byte, 65536> bytes{};
  std::uint64_t datagrams = 0;
  const auto carry = [&](Kcp& from, Kcp& to, Instant now) {
    while (const auto transmit = from.poll_transmit(now, slot)) {
      ASSERT_TRUE(to.handle_segments(now, ConstBytes(slot).first(transmit->size)));
      while (to.read(bytes)) {
      }
      ++datagrams;
    }
  };
  const auto run = [&](int first, int last) {
    for (int ms = first; ms < last; ++ms) {
      const Instant now = kNow + std::chrono::milliseconds(ms);
      static_cast<void>(a.send(bytes));
      carry(a, b, now);
      carry(b, a, now);
    }
  };
  run(0, 100);
  const std::uint64_t before = ginnel::testing::allocations();
  datagrams = 0;
  run(100, 2200);
  EXPECT_GT(datagrams, 100'000u);
  EXPECT_EQ(ginnel::testing::allocations() - before, 0u);
}

struct Cost {
  double steps_per_segment = 0;
  std::uint64_t timeouts = 0;
};

// A full window all the time: steps are segments touched while acknowledging, counting and waiting.
Cost cost_of(std::uint32_t window, std::uint32_t segments, double loss) {
  Config config{.conv = kOneConv,
                .mtu_bytes = 50,
                .send_window_segments = window,
                .receive_window_segments = window};
  testing::Pair pair(config, config, {.loss = loss}, {.loss = loss});
  const ByteVector piece(26 * 256);
  std::array<std::byte, 8192> sink;
  pair.on_turn = [&] {
    while (pair.a.send(piece).value() == piece.size()) {
    }
    while (pair.b.read(sink)) {
    }
  };
  const Sn enough(segments);
  EXPECT_TRUE(pair.run(24h, [&] { return pair.a.sender().una() >= enough; }));
  const auto done = static_cast<double>(pair.a.sender().una().value());
  return {static_cast<double>(pair.a.sender().steps()) / done, pair.a.sender().counters().timeouts};
}

// The reference walks its send buffer at each ACK and each flush: hundreds of steps per segment at
// a window of 1024, thousands at 8192. Here a million segments cost the depth of the heap each.
TEST(KcpCost, AMillionSegmentsCostLittleMoreInALargeWindowThanInASmallOne) {
  const Cost small = cost_of(128, 100'000, 0);
  const Cost large = cost_of(8192, 1'000'000, 0);
  EXPECT_LT(small.steps_per_segment, 6);
  EXPECT_LT(large.steps_per_segment, 6);
  EXPECT_EQ(small.timeouts + large.timeouts, 0u);
}

TEST(KcpCost, LossDoesNotMakeAcknowledgementsWalkTheWindow) {
  EXPECT_LT(cost_of(8192, 200'000, 0.05).steps_per_segment, 12);
}

}  // namespace
}  // namespace ginnel::kcp
