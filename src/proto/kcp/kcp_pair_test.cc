// Two ends back to back in virtual time, over bad links, in every mix of modes.
#include <gtest/gtest.h>

#include "proto/kcp/clock.h"
#include "proto/kcp/testing/pair.h"

namespace ginnel::kcp {
namespace {

using testing::Link;
using testing::Pair;

constexpr Conv kConv{0xfeed};

Config prompt_config() { return {.conv = kConv}; }
Config compatible_config() {
  Config config = Config::compatible(kConv).nodelay(1, 10, 2, 1);
  config.framing = Framing::kStream;
  config.send_window_segments = 128;
  return config;
}

std::byte byte_at(std::uint64_t offset) {
  return static_cast<std::byte>((offset * 2654435761u) >> 13);
}

// One direction of a stream whose every byte is known from its place, checked as it is read.
class StreamCheck {
 public:
  StreamCheck(Kcp& from, Kcp& to, std::uint64_t total) : from_(from), to_(to), total_(total) {}

  void turn() {
    write();
    if (reading) read();
    check_bounds(from_);
    check_bounds(to_);
  }
  bool done() const { return read_ == total_; }
  std::uint64_t read_bytes() const { return read_; }
  std::uint64_t written_bytes() const { return written_; }
  void more(std::uint64_t bytes) { total_ += bytes; }

  bool reading = true;

 private:
  void write() {
    std::array<std::byte, 3000> piece;
    while (written_ < total_) {
      const std::size_t size = std::min<std::uint64_t>(piece.size(), total_ - written_);
      for (std::size_t i = 0; i < size; ++i) piece[i] = byte_at(written_ + i);
      const std::size_t taken = from_.send(Bytes(piece).first(size)).value();
      written_ += taken;
      if (taken < size) break;
    }
  }
  void read() {
    std::array<std::byte, 777> out;
    while (const auto size = to_.read(out)) {
      ASSERT_GT(*size, 0u);
      for (std::size_t i = 0; i < *size; ++i) ASSERT_EQ(out[i], byte_at(read_ + i)) << read_ + i;
      read_ += *size;
    }
    ASSERT_LE(read_, written_);
  }
  static void check_bounds(const Kcp& kcp) {
    const Sender& sender = kcp.sender();
    ASSERT_LE(sender.nxt() - sender.una(), 1024);
    ASSERT_LE(sender.bytes(), std::size_t{1} << 20);
    ASSERT_LE(kcp.receiver().readable_segments(), 1024u);
    ASSERT_LE(kcp.receiver().held_bytes(), (std::size_t{2} << 20) + kMtuMax);
  }

  Kcp& from_;
  Kcp& to_;
  std::uint64_t total_;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
};

struct Mix {
  const char* name;
  Config (*a)();
  Config (*b)();
};
std::ostream& operator<<(std::ostream& out, const Mix& mix) { return out << mix.name; }

class KcpPair : public ::testing::TestWithParam<Mix> {
 protected:
  Config a() const { return GetParam().a(); }
  Config b() const { return GetParam().b(); }
};

TEST_P(KcpPair, BothStreamsArriveBitExactOverLinksThatLoseDoubleAndReorder) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Link link{
        .delay = 15ms, .jitter = 10ms, .loss = 0.02 * static_cast<double>(seed), .duplicate = 0.1};
    Pair pair(a(), b(), link, link, seed);
    StreamCheck there(pair.a, pair.b, 60000);
    StreamCheck back(pair.b, pair.a, 20000);
    pair.on_turn = [&] { there.turn(), back.turn(); };
    EXPECT_TRUE(pair.run(600s, [&] { return there.done() && back.done(); }))
        << "seed " << seed << ": " << there.read_bytes() << " and " << back.read_bytes();
  }
}

TEST_P(KcpPair, HalfOfTheAcknowledgementsLostOnlySlowsDown) {
  Pair pair(a(), b(), {}, {.loss = 0.5}, 3);
  StreamCheck there(pair.a, pair.b, 200000);
  pair.on_turn = [&] { there.turn(); };
  EXPECT_TRUE(pair.run(120s, [&] { return there.done(); })) << there.read_bytes();
}

TEST_P(KcpPair, SegmentNumbersAndClockMayWrapInTheMiddle) {
  Config config_a = a();
  Config config_b = b();
  config_a.first_sn = config_b.first_sn = Sn(0xffffffff - 40);
  const Link link{.jitter = 5ms, .loss = 0.1};
  Pair pair(config_a, config_b, link, link, 4);
  pair.now = Instant{(std::int64_t{1} << 32) * kNanosecondsPerMillisecond} - 100ms;
  const Instant start = pair.now;
  StreamCheck there(pair.a, pair.b, 300000);
  pair.on_turn = [&] { there.turn(); };
  EXPECT_TRUE(pair.run(120s, [&] { return there.done(); })) << there.read_bytes();
  EXPECT_LT(pair.a.sender().nxt().value(), 1000u);
  EXPECT_LT(timestamp_of(pair.now).value(), timestamp_of(start).value());
  EXPECT_LT(pair.a.sender().rtt().srtt(), 200ms);
}

// A closed window reopens with an unasked WINS; that one and the first questions are lost.
TEST_P(KcpPair, AClosedWindowReopensThoughTellingAndAskingAreLost) {
  Pair pair(a(), b(), {}, {}, 5);
  StreamCheck there(pair.a, pair.b, 3'000'000);
  there.reading = false;
  pair.on_turn = [&] { there.turn(); };
  EXPECT_FALSE(pair.run(3s, [&] { return there.done(); }));
  EXPECT_EQ(pair.a.sender().remote_window(), 0u);
  EXPECT_EQ(pair.b.receiver().window(), 0u);

  int lost = 0;
  pair.lose = [&](const Kcp&, ConstBytes bytes) {
    const bool probe = bytes.size() == kHeaderBytes && std::to_integer<int>(bytes[4]) >= 83;
    return probe && lost++ < 4;
  };
  there.reading = true;
  EXPECT_TRUE(pair.run(120s, [&] { return there.done(); })) << there.read_bytes();
  EXPECT_GE(lost, 4);
}

TEST_P(KcpPair, ASilentConversationWakesNobodyAndGoesOnLater) {
  Pair pair(a(), b(), {}, {}, 6);
  StreamCheck there(pair.a, pair.b, 5000);
  pair.on_turn = [&] { there.turn(); };
  EXPECT_TRUE(pair.run(10s, [&] { return there.done(); }));
  EXPECT_FALSE(pair.run(10s, [&] { return false; }));
  const std::uint64_t datagrams = pair.datagrams;
  EXPECT_EQ(pair.a.next_timeout(), std::nullopt);
  EXPECT_EQ(pair.b.next_timeout(), std::nullopt);
  EXPECT_FALSE(pair.run(24h * 60, [&] { return false; }));  // past the wrap of the clock
  EXPECT_EQ(pair.datagrams, datagrams);
  there.more(5000);
  EXPECT_TRUE(pair.run(1s, [&] { return there.done(); })) << there.read_bytes();
}

TEST_P(KcpPair, TheMtuMayChangeWhileSegmentsAreInFlight) {
  const Link link{.jitter = 3ms, .loss = 0.1};
  Pair pair(a(), b(), link, link, 7);
  StreamCheck there(pair.a, pair.b, 3'000'000);
  Rng rng = Rng::from_seed(7);
  std::size_t largest = 0;
  pair.lose = [&](const Kcp&, ConstBytes bytes) {
    largest = std::max(largest, bytes.size());
    return false;
  };
  pair.on_turn = [&] {
    if (rng.chance(0.05)) pair.a.set_mtu(rng.chance(0.5) ? 200 : 1700);
    there.turn();
  };
  EXPECT_TRUE(pair.run(300s, [&] { return there.done(); })) << there.read_bytes();
  EXPECT_LE(largest, 1700u);
  EXPECT_GT(largest, 1400u);
}

TEST_P(KcpPair, MessagesArriveWholeInOrderAndOnce) {
  Config config_a = a();
  Config config_b = b();
  config_a.framing = config_b.framing = Framing::kMessage;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Link link{.jitter = 10ms, .loss = 0.1, .duplicate = 0.1};
    Pair pair(config_a, config_b, link, link, seed);
    Rng rng = Rng::from_seed(seed);
    std::vector<ByteVector> sent;
    std::size_t received = 0;
    pair.on_turn = [&] {
      while (sent.size() < 200) {
        ByteVector message(rng.below(rng.chance(0.1) ? 20000 : 300));
        rng.fill(message);
        if (!pair.a.send(message)) break;
        sent.push_back(message);
      }
      while (const auto size = pair.b.next_size()) {
        ByteVector out(*size);
        ASSERT_EQ(pair.b.read(out), *size);
        ASSERT_EQ(out, sent.at(received++));
      }
    };
    EXPECT_TRUE(pair.run(300s, [&] { return received == 200; })) << received;
  }
}

// ikcp.c, FASTACK_CONSERVE: batched ACKs with equal ts hide losses from a C sender.
TEST_P(KcpPair, OneLostSegmentOfManyIsResentWithoutATimeout) {
  Pair pair(a(), b(), {}, {}, 8);
  StreamCheck there(pair.a, pair.b, 130'000);
  int count = 0;
  pair.lose = [&](const Kcp& from, ConstBytes) { return &from == &pair.a && ++count == 30; };
  pair.on_turn = [&] { there.turn(); };
  EXPECT_TRUE(pair.run(10s, [&] { return there.done(); }));
  if (b().mode == Mode::kCompatible) return;  // the quirk itself: V4
  EXPECT_EQ(pair.a.sender().counters().timeouts, 0u);
  EXPECT_EQ(pair.a.sender().counters().fast_resends, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Modes, KcpPair,
    ::testing::Values(Mix{"PromptToPrompt", prompt_config, prompt_config},
                      Mix{"PromptToCompatible", prompt_config, compatible_config},
                      Mix{"CompatibleToPrompt", compatible_config, prompt_config},
                      Mix{"CompatibleToCompatible", compatible_config, compatible_config}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(KcpPrompt, AMessageAndItsAcknowledgementTakeOneRoundTripExactly) {
  Pair pair(prompt_config(), prompt_config(), {.delay = 20ms}, {.delay = 20ms});
  pair.now = Instant{} + 7ms;
  const Instant start = pair.now;
  ASSERT_TRUE(pair.a.send(bytes_of("hello")));
  EXPECT_TRUE(pair.run(1s, [&] { return pair.b.next_size().has_value(); }));
  EXPECT_EQ(pair.now - start, 20ms);
  EXPECT_TRUE(pair.run(1s, [&] { return pair.a.sender().bytes() == 0; }));
  EXPECT_EQ(pair.now - start, 40ms);
  EXPECT_EQ(pair.a.sender().rtt().srtt(), 40ms);
  EXPECT_EQ(pair.datagrams, 2u);
}

TEST(KcpPrompt, WritableComesOnceWhenRoomReturns) {
  Config config = prompt_config();
  config.send_bytes_max = 100'000;
  Pair pair(config, prompt_config(), {}, {});
  const ByteVector bytes(200'000);
  EXPECT_EQ(pair.a.send(bytes).value(), 100'000u);
  EXPECT_EQ(pair.a.send(bytes).value(), 0u);
  int writable = 0;
  pair.on_event = [&](const Kcp& who, Kcp::Event event) {
    if (&who == &pair.a && event == Kcp::Event::kWritable) ++writable;
  };
  EXPECT_FALSE(pair.run(1s, [&] { return false; }));
  EXPECT_EQ(writable, 1);
  EXPECT_EQ(pair.a.sender().room(), 100'000u);
}

TEST(KcpPrompt, TheCongestionWindowMayLimitAndTheStreamStillArrives) {
  Config config = prompt_config();
  config.congestion_window = true;
  Pair pair(config, config, {.loss = 0.05}, {.loss = 0.05}, 9);
  StreamCheck there(pair.a, pair.b, 200'000);
  std::uint32_t over = 0;
  pair.on_turn = [&] {
    there.turn();
    if (pair.a.sender().congestion().cwnd() == 0) ++over;
  };
  EXPECT_TRUE(pair.run(300s, [&] { return there.done(); })) << there.read_bytes();
  EXPECT_LE(over, 1u);  // before the first flush
}

}  // namespace
}  // namespace ginnel::kcp
