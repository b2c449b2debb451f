#include "proto/kcp/receiver.h"

#include <gtest/gtest.h>

namespace ginnel::kcp {
namespace {

Config config_of(Framing framing, std::uint32_t window = 8) {
  Config config;
  config.framing = framing;
  config.receive_window_segments = window;
  return config.clamped();
}

struct Push {
  std::uint32_t sn = 0;
  std::string payload;
  std::uint8_t frg = 0;
};
Result<bool, Drop> push(Receiver& receiver, const Push& push) {
  const Segment segment{.frg = push.frg,
                        .ts = Timestamp(push.sn),
                        .sn = Sn(push.sn),
                        .payload = bytes_of(push.payload)};
  return receiver.on_push(segment);
}

std::string read(Receiver& receiver, std::size_t room = 1000) {
  std::string out(room, '\0');
  const auto size = receiver.read(std::as_writable_bytes(std::span(out)));
  return size ? out.substr(0, *size) : "(nothing)";
}

TEST(KcpReceiver, PutsSegmentsInOrderAndDeliversEachOnce) {
  Receiver receiver(config_of(Framing::kStream));
  EXPECT_TRUE(push(receiver, {2, "cc"}).value());
  EXPECT_TRUE(push(receiver, {1, "bb"}).value());
  EXPECT_EQ(receiver.next_size(), std::nullopt);
  EXPECT_FALSE(push(receiver, {1, "XX"}).value());
  EXPECT_TRUE(push(receiver, {0, "aa"}).value());
  EXPECT_EQ(receiver.next_size(), 6u);
  EXPECT_EQ(receiver.nxt(), Sn(3));
  EXPECT_FALSE(push(receiver, {0, "XX"}).value());
  EXPECT_EQ(read(receiver, 3), "aab");
  EXPECT_EQ(receiver.next_size(), 3u);
  EXPECT_EQ(read(receiver), "bcc");
  EXPECT_EQ(read(receiver), "(nothing)");
  EXPECT_EQ(receiver.held_bytes(), 0u);
}

// ikcp_input: an ACK for each PUSH in the window, also for one that is there already.
TEST(KcpReceiver, AcknowledgesDuplicatesButNothingPastTheWindow) {
  Receiver receiver(config_of(Framing::kStream, 4));
  EXPECT_TRUE(push(receiver, {3, "d"}).value());
  EXPECT_FALSE(push(receiver, {3, "d"}).value());
  EXPECT_EQ(push(receiver, {4, "e"}).error(), Drop::kOutOfWindow);
  EXPECT_EQ(push(receiver, {0x7fffffff, "e"}).error(), Drop::kOutOfWindow);
  EXPECT_EQ(receiver.acks().size(), 2u);
  EXPECT_FALSE(push(receiver, {0x80000010, "old"}).value());  // serial order: long ago
  EXPECT_EQ(receiver.held_bytes(), 1u);
}

TEST(KcpReceiver, AMessageWaitsForItsFragmentsAndForRoom) {
  Receiver receiver(config_of(Framing::kMessage));
  EXPECT_TRUE(push(receiver, {0, "one,", 2}));
  EXPECT_TRUE(push(receiver, {1, "two,", 1}));
  EXPECT_EQ(receiver.next_size(), std::nullopt);
  EXPECT_TRUE(push(receiver, {2, "three", 0}));
  EXPECT_TRUE(push(receiver, {3, "", 0}));
  EXPECT_EQ(receiver.next_size(), 13u);
  EXPECT_EQ(read(receiver, 12), "(nothing)");
  EXPECT_EQ(read(receiver, 13), "one,two,three");
  EXPECT_EQ(receiver.next_size(), 0u);
  EXPECT_EQ(read(receiver), "");
  EXPECT_EQ(read(receiver), "(nothing)");
}

TEST(KcpReceiver, FragmentNumbersThatLieNeitherCrashNorHoldUpOthers) {
  Receiver receiver(config_of(Framing::kMessage));
  EXPECT_EQ(push(receiver, {0, "x", 8}).error(), Drop::kTooManyFragments);
  EXPECT_TRUE(push(receiver, {0, "a", 1}));
  EXPECT_TRUE(push(receiver, {1, "b", 7}));
  EXPECT_TRUE(push(receiver, {2, "c", 0}));
  EXPECT_EQ(read(receiver), "abc");  // as ikcp_recv: up to the first frg 0
}

TEST(KcpReceiver, AMessageThatCanNeverBeWholeIsReportedAsStuck) {
  Receiver receiver(config_of(Framing::kMessage, 4));
  for (std::uint32_t sn = 0; sn < 2; ++sn) EXPECT_TRUE(push(receiver, {sn, "x", 3}));
  EXPECT_FALSE(receiver.is_stuck());
  Receiver full(config_of(Framing::kMessage, 4));
  const std::string large(100'000, 'x');
  for (std::uint32_t sn = 0; sn < 3; ++sn) EXPECT_TRUE(push(full, {sn, large, 3}));
  EXPECT_EQ(full.window(), 1u);
  Config small = config_of(Framing::kMessage, 4);
  small.receive_bytes_max = kReceiveBytesMin;
  Receiver stuck(small);
  for (std::uint32_t sn = 0; sn < 3; ++sn) EXPECT_TRUE(push(stuck, {sn, large, 3}));
  EXPECT_EQ(stuck.window(), 0u);
  EXPECT_TRUE(stuck.is_stuck());
}

TEST(KcpReceiver, TheWindowCountsUnreadSegmentsAndTellsWhenItReopens) {
  Receiver receiver(config_of(Framing::kStream, 4));
  for (std::uint32_t sn = 0; sn < 8; ++sn) {
    EXPECT_TRUE(push(receiver, {sn, "x"})) << sn;  // 4 readable, 4 more behind them
    EXPECT_EQ(receiver.window(), sn < 4 ? 3 - sn : 0) << sn;
  }
  EXPECT_EQ(push(receiver, {8, "x"}).error(), Drop::kOutOfWindow);
  EXPECT_EQ(receiver.readable_segments(), 4u);
  EXPECT_EQ(read(receiver, 1), "x");
  EXPECT_EQ(receiver.nxt(), Sn(5));  // the freed place went to the next one
  EXPECT_FALSE(receiver.take_reopened());
  EXPECT_EQ(read(receiver, 7), "xxxx");
  EXPECT_TRUE(receiver.take_reopened());
  EXPECT_FALSE(receiver.take_reopened());
}

TEST(KcpReceiver, BytesAreBoundedAndAHoleCanAlwaysBeFilled) {
  Config config = config_of(Framing::kStream, 1000);
  config.receive_bytes_max = kReceiveBytesMin;
  Receiver receiver(config);
  const std::string large(60000, 'x');
  std::uint32_t sn = 1;
  while (push(receiver, {sn, large})) ++sn;
  EXPECT_EQ(push(receiver, {sn, large}).error(), Drop::kNoRoom);
  EXPECT_LE(receiver.held_bytes(), kReceiveBytesMin);
  EXPECT_EQ(receiver.window(), 4u);         // from una, as if the hole held nothing up
  EXPECT_TRUE(push(receiver, {0, large}));  // the hole
  EXPECT_EQ(receiver.window(), 0u);
  EXPECT_EQ(receiver.nxt(), Sn(sn));
  EXPECT_EQ(push(receiver, {sn, large}).error(), Drop::kNoRoom);
  EXPECT_LE(receiver.held_bytes(), 2 * kReceiveBytesMin + kMtuMax);
  while (receiver.next_size()) read(receiver, 50000);
  EXPECT_TRUE(receiver.take_reopened());
  EXPECT_EQ(receiver.held_bytes(), 0u);
  EXPECT_TRUE(push(receiver, {sn, large}));
}

TEST(KcpReceiver, EmptySegmentsOfAStreamTakeNoPlace) {
  Receiver receiver(config_of(Framing::kStream, 4));
  for (std::uint32_t sn = 0; sn < 100; ++sn) EXPECT_TRUE(push(receiver, {sn, ""}));
  EXPECT_EQ(receiver.window(), 4u);
  EXPECT_EQ(receiver.next_size(), std::nullopt);
  EXPECT_TRUE(push(receiver, {101, "b"}));
  EXPECT_TRUE(push(receiver, {102, ""}));
  EXPECT_TRUE(push(receiver, {103, "c"}));
  EXPECT_TRUE(push(receiver, {100, "a"}));
  EXPECT_EQ(read(receiver), "abc");
}

TEST(KcpReceiver, OwesABoundedNumberOfAcknowledgements) {
  Receiver receiver(config_of(Framing::kStream));
  for (int i = 0; i < 100'000; ++i) static_cast<void>(push(receiver, {0, "x"}));
  EXPECT_LE(receiver.acks().size(), 256u);
}

TEST(KcpAckList, NewestFirstPutsTheLargestNumberInFrontAlsoOverTheWrap) {
  AckList acks(10);
  for (const std::uint32_t sn : {0xfffffffeu, 1u, 0xffffffffu, 0u}) acks.push({Sn(sn), {}});
  EXPECT_EQ(acks.next(), nullptr);
  acks.make_ready(true);
  acks.push({Sn(2), {}});
  std::vector<std::uint32_t> order;
  for (; acks.next() != nullptr; acks.pop()) order.push_back(acks.next()->sn.value());
  EXPECT_EQ(order, (std::vector<std::uint32_t>{1, 0, 0xffffffff, 0xfffffffe}));
  EXPECT_EQ(acks.size(), 1u);
}

}  // namespace
}  // namespace ginnel::kcp
