// Datagrams of the C reference, byte for byte (ikcp.c at fbd716b). Its input() has no time
// of its own: it takes that of the last update(), so the scripts below do the same.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "proto/kcp/kcp.h"

namespace ginnel::kcp {
namespace {

using namespace std::chrono_literals;

constexpr Conv kVectorConv{0x11223344};
constexpr int kLater = 1'000'000;  // no update yet

struct Line {
  int at = 0;
  char end = 0;
  std::string hex;
  friend bool operator==(const Line&, const Line&) = default;
};
std::ostream& operator<<(std::ostream& out, const Line& line) {
  return out << line.at << ' ' << line.end << ' ' << line.hex;
}

std::vector<Line> vector_of_reference(const std::string& name) {
  std::ifstream file(std::string(GINNEL_TESTDATA) + "/reference_vectors.txt");
  std::vector<Line> out;
  for (std::string text; std::getline(file, text);) {
    std::istringstream words(text);
    std::string which;
    Line line;
    if (words >> which >> line.at >> line.end >> line.hex && which == name) out.push_back(line);
  }
  EXPECT_FALSE(out.empty()) << name;
  return out;
}

Instant at_ms(int ms) { return Instant{} + std::chrono::milliseconds(ms); }

// One end as a program uses the reference: update() now and then, input() in between.
struct End {
  End(char which, const Config& config) : name(which), kcp(config) {}

  std::vector<ByteVector> update(int ms, std::vector<Line>& log) {
    updated = ms;
    kcp.handle_timeout(at_ms(ms));
    std::vector<ByteVector> out;
    std::array<std::byte, 1500> slot;
    while (const auto transmit = kcp.poll_transmit(at_ms(ms), slot)) {
      out.push_back(to_vector(ConstBytes(slot).first(transmit->size)));
      log.push_back({ms, name, to_hex(out.back())});
    }
    return out;
  }
  void input(const ByteVector& datagram) {
    EXPECT_TRUE(kcp.handle_segments(at_ms(updated), datagram));
  }

  char name;
  Kcp kcp;
  int updated = kLater;
};

Config fast_config() { return Config::compatible(kVectorConv).nodelay(1, 10, 2, 1); }

ByteVector pattern(std::size_t size, int first = 0) {
  ByteVector out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = std::byte(first + static_cast<int>(i));
  return out;
}

std::string read_all(Kcp& kcp) {
  std::string out(kcp.next_size().value_or(0), '\0');
  EXPECT_EQ(kcp.read(std::as_writable_bytes(std::span(out))), out.size());
  return out;
}

TEST(KcpVectors, V1OneMessageAndItsAcknowledgement) {
  std::vector<Line> log;
  End a('A', fast_config());
  End b('B', fast_config());
  a.update(1000, log);
  b.update(1000, log);
  ASSERT_TRUE(a.kcp.send(bytes_of("hello")));
  const auto sent = a.update(1010, log);
  ASSERT_EQ(sent.size(), 1u);
  b.update(1030, log);
  b.input(sent[0]);
  const auto acked = b.update(1040, log);
  ASSERT_EQ(acked.size(), 1u);
  a.update(1060, log);
  a.input(acked[0]);
  EXPECT_EQ(log, vector_of_reference("V1"));
  EXPECT_EQ(a.kcp.sender().rtt().srtt(), 50ms);
  EXPECT_EQ(a.kcp.sender().rtt().rttval(), 25ms);
  EXPECT_EQ(a.kcp.sender().rtt().rto(), 150ms);
  EXPECT_EQ(a.kcp.sender().congestion().cwnd(), 2u);
  EXPECT_EQ(a.kcp.sender().congestion().ssthresh(), 2u);
  EXPECT_EQ(a.kcp.sender().congestion().incr(), 2752u);
  EXPECT_EQ(a.kcp.sender().remote_window(), 127u);
  EXPECT_EQ(a.kcp.sender().una(), Sn(1));
  EXPECT_EQ(b.kcp.sender().congestion().incr(), 1376u);
  EXPECT_EQ(read_all(b.kcp), "hello");
}

TEST(KcpVectors, V2AMessageInThreeFragments) {
  Config config = fast_config();
  config.mtu_bytes = 76;
  std::vector<Line> log;
  End a('A', config);
  End b('B', config);
  a.update(2000, log);
  b.update(2000, log);
  ASSERT_TRUE(a.kcp.send(pattern(120)));
  for (const auto& datagram : a.update(2010, log)) b.input(datagram);
  const auto acked = b.update(2030, log);
  ASSERT_EQ(acked.size(), 1u);
  a.updated = 2030;
  a.input(acked[0]);
  EXPECT_EQ(log, vector_of_reference("V2"));
  EXPECT_EQ(a.kcp.sender().rtt().srtt(), 20ms);
  EXPECT_EQ(a.kcp.sender().rtt().rttval(), 5ms);
  EXPECT_EQ(a.kcp.sender().rtt().rto(), 40ms);
  EXPECT_EQ(a.kcp.sender().congestion().cwnd(), 2u);
  EXPECT_EQ(a.kcp.sender().congestion().incr(), 104u);
  EXPECT_EQ(a.kcp.sender().remote_window(), 125u);
  EXPECT_EQ(read_all(b.kcp), text_of(pattern(120)));
}

TEST(KcpVectors, V3TheLastQueuedSegmentOfAStreamIsFilledUp) {
  Config config = fast_config();
  config.framing = Framing::kStream;
  std::vector<Line> log;
  End a('A', config);
  a.update(3000, log);
  EXPECT_EQ(a.kcp.send(bytes_of("abc")).value(), 3u);
  EXPECT_EQ(a.kcp.send(bytes_of("defg")).value(), 4u);
  a.update(3010, log);
  EXPECT_EQ(log, vector_of_reference("V3"));
  EXPECT_EQ(a.kcp.sender().congestion().cwnd(), 1u);
}

// FASTACK_CONSERVE: of ACKs 0, 2, 3 with equal ts in one datagram only the first one counts.
TEST(KcpVectors, V4ThreeLaterAcksInTwoDatagramsAreOneFastAck) {
  Config config = fast_config();
  config.mtu_bytes = 76;
  std::vector<Line> log;
  End a('A', config);
  End b('B', config);
  a.update(4000, log);
  b.update(4000, log);
  for (char c = 'a'; c < 'f'; ++c) ASSERT_TRUE(a.kcp.send(bytes_of(std::string(40, c))));
  const auto sent = a.update(4010, log);
  ASSERT_EQ(sent.size(), 5u);
  for (const std::size_t i : {0u, 2u, 3u, 4u}) b.input(sent[i]);
  const auto acked = b.update(4020, log);
  ASSERT_EQ(acked.size(), 2u);
  a.update(4020, log);
  a.input(acked[0]);
  EXPECT_EQ(a.kcp.sender().segment(Sn(1)).fastack, 0u);
  a.input(acked[1]);
  EXPECT_EQ(a.kcp.sender().segment(Sn(1)).fastack, 1u);
  a.update(4030, log);
  a.update(4040, log);
  EXPECT_EQ(log, vector_of_reference("V4"));
}

TEST(KcpVectors, V5ClosedWindowIsAskedForToldAndUsed) {
  Config config = fast_config();
  config.send_window_segments = 256;
  std::vector<Line> log;
  End a('A', config);
  End b('B', config);
  a.update(5000, log);
  b.update(5000, log);
  for (int i = 0; i < 129; ++i) {
    ASSERT_TRUE(a.kcp.send(bytes_of(std::string(1, i == 128 ? 'x' : 'w'))));
  }
  for (const auto& datagram : a.update(5010, log)) b.input(datagram);
  const auto acked = b.update(5020, log);
  a.update(5020, log);
  for (const auto& datagram : acked) a.input(datagram);
  EXPECT_EQ(a.kcp.sender().remote_window(), 0u);
  log.clear();  // the vector begins here
  std::vector<ByteVector> asked;
  for (int ms = 5030; asked.empty() && ms <= 10030; ms += 10) asked = a.update(ms, log);
  ASSERT_EQ(asked.size(), 1u);
  b.input(asked[0]);
  for (const auto& datagram : b.update(10040, log)) a.input(datagram);
  EXPECT_EQ(a.kcp.sender().remote_window(), 0u);
  EXPECT_EQ(read_all(b.kcp), "w");
  for (const auto& datagram : b.update(10050, log)) a.input(datagram);
  a.update(10060, log);
  EXPECT_EQ(log, vector_of_reference("V5"));
}

std::vector<int> emission_times(int nodelay, std::size_t count) {
  Kcp kcp(Config::compatible(kVectorConv).nodelay(nodelay, 10, 0, 1));
  std::vector<Line> log;
  EXPECT_TRUE(kcp.send(bytes_of("x")));
  std::vector<int> out;
  std::array<std::byte, 1500> slot;
  for (int ms = 0; out.size() < count && ms < 30000; ++ms) {
    kcp.handle_timeout(at_ms(ms));
    if (kcp.poll_transmit(at_ms(ms), slot)) out.push_back(ms);
  }
  return out;
}

TEST(KcpVectors, V6TimeoutsGrowAsEachNodelaySays) {
  EXPECT_EQ(emission_times(0, 8), (std::vector<int>{0, 230, 630, 1430, 3030, 6230, 12630, 25430}));
  EXPECT_EQ(emission_times(1, 9),
            (std::vector<int>{0, 200, 500, 950, 1630, 2650, 4170, 6450, 9870}));
  EXPECT_EQ(emission_times(2, 9),
            (std::vector<int>{0, 200, 500, 900, 1400, 2000, 2700, 3500, 4400}));
}

// nodelay 2 reaches dead_link 20 at 20.9 s, nodelay 0 and 1 not within 30 s.
TEST(KcpVectors, V6DeadLinkIsReportedOnceAndSendingGoesOn) {
  Kcp kcp(Config::compatible(kVectorConv).nodelay(2, 10, 0, 1));
  ASSERT_TRUE(kcp.send(bytes_of("x")));
  std::vector<int> reports;
  std::array<std::byte, 1500> slot;
  int sent_after = 0;
  for (int ms = 0; ms < 30000; ++ms) {
    kcp.handle_timeout(at_ms(ms));
    if (kcp.poll_transmit(at_ms(ms), slot) && !reports.empty()) ++sent_after;
    while (const auto event = kcp.poll_event()) {
      EXPECT_EQ(*event, Kcp::Event::kDeadLink);
      reports.push_back(ms);
    }
  }
  EXPECT_EQ(reports, std::vector<int>{20900});
  EXPECT_GT(sent_after, 0);
}

TEST(KcpVectors, V7TwoLaterAcksInTwoDatagramsResendAtOnce) {
  std::vector<Line> log;
  End a('A', fast_config());
  End b('B', fast_config());
  std::vector<ByteVector> to_a;
  std::vector<ByteVector> to_b;
  for (int ms = 6010; ms <= 6080; ms += 10) {
    if (ms > 6010) {
      for (const auto& datagram : std::exchange(to_b, {})) b.input(datagram);
      for (const auto& datagram : std::exchange(to_a, {})) a.input(datagram);
    }
    if (ms <= 6050) {
      ASSERT_TRUE(a.kcp.send(bytes_of(std::string(1, static_cast<char>('0' + (ms - 6010) / 10)))));
    }
    to_b = a.update(ms, log);
    if (ms == 6020) to_b.clear();  // sn 1 is lost
    to_a = b.update(ms, log);
  }
  EXPECT_EQ(log, vector_of_reference("V7"));
  EXPECT_EQ(a.kcp.sender().rtt().srtt(), 10ms);
  EXPECT_EQ(a.kcp.sender().rtt().rttval(), 0ms);
  EXPECT_EQ(a.kcp.sender().rtt().rto(), 30ms);
  EXPECT_EQ(a.kcp.sender().congestion().cwnd(), 4u);
  EXPECT_EQ(a.kcp.sender().congestion().incr(), 5934u);
  EXPECT_EQ(a.kcp.sender().counters().fast_resends, 1u);
  EXPECT_EQ(b.kcp.receiver().nxt(), Sn(5));
  for (char c = '0'; c < '5'; ++c) EXPECT_EQ(read_all(b.kcp), std::string(1, c));
}

}  // namespace
}  // namespace ginnel::kcp
