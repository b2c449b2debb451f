#include "runtime/host/hub_probe.h"

#include <gtest/gtest.h>

#include "proto/stun/binding_server.h"
#include "proto/stun/request.h"

namespace ginnel::host {
namespace {

const Endpoint kProbedHub = *Endpoint::parse("203.0.113.9:7700");
const Endpoint kMe = *Endpoint::parse("198.51.100.7:4164");

// One hub behind a path: it delays, loses, narrows and tells.
struct Path {
  stun::BindingServer hub{
      {.address = kProbedHub.address, .main_port = kProbedHub.port, .probe_port = 7701}};
  Nanoseconds one_way = 10ms;
  std::size_t mtu_bytes = 1500;
  bool tells = false;  // a router answers what is too large
  bool answers = true;
  Wall wall{1'800'000'000'000'000'000};
  Instant now{};
  int sent = 0;

  ProbeFinding run(std::size_t packet_bytes_max = 1500) {
    HubProbe probe({{kProbedHub, packet_bytes_max}}, Rng::from_seed(1), now);
    for (int step = 0; step < 1000 && !probe.is_done(); ++step) {
      exchange(probe);
      if (const auto next = probe.next_timeout(); next && *next > now) now = *next;
      probe.handle_timeout(now);
    }
    EXPECT_TRUE(probe.is_done());
    return probe.findings().front();
  }

  void exchange(HubProbe& probe) {
    std::array<std::byte, 2048> slot{};
    while (const auto transmit = probe.poll_transmit(now, slot)) {
      ++sent;
      if (transmit->size + 28 > mtu_bytes) {
        if (tells) probe.note_trouble(transmit->to, SendTrouble::kTooBig);
        continue;
      }
      if (!answers) continue;
      std::array<std::byte, 1500> out{};
      now = now + one_way;
      const auto answer = hub.handle_request(now, kMe, stun::ServerPort::kMain,
                                             ConstBytes(slot).first(transmit->size), out);
      now = now + one_way;
      ASSERT_TRUE(answer);
      EXPECT_TRUE(probe.handle_answer(now, wall + (now - Instant{}), kProbedHub,
                                      ConstBytes(out).first(answer->size)));
    }
  }
};

TEST(HubProbe, LearnsRoundTripMappingAndSecondPortOfAHubThatAnswers) {
  Path path;
  const auto finding = path.run();
  EXPECT_EQ(finding.rtt, 20ms);
  EXPECT_EQ(finding.mapped, kMe);
  EXPECT_EQ(finding.probe_port, 7701);
  EXPECT_EQ(finding.mtu_bytes, 1500u);
  EXPECT_FALSE(finding.is_black_hole());
  EXPECT_LE(path.sent, 4);
}
TEST(HubProbe, FindsAClockThatIsAnHourAhead) {
  Path path;
  path.hub.set_wall(path.now, path.wall + 3600s);
  EXPECT_EQ(path.run().clock_ahead, 3600s);
}
TEST(HubProbe, SaysNothingOfTheClockOfAHubThatDoesNotTell) {
  EXPECT_FALSE(Path().run().clock_ahead);
}
TEST(HubProbe, FindsAPathThatSwallowsLargePacketsSilently) {
  Path path;
  path.mtu_bytes = 1400;
  const auto finding = path.run();
  EXPECT_EQ(finding.mtu_bytes, 1400u);
  EXPECT_TRUE(finding.is_black_hole());
}
TEST(HubProbe, APathThatTellsItsMtuIsNoBlackHole) {
  Path path;
  path.mtu_bytes = 1400;
  path.tells = true;
  const auto finding = path.run();
  EXPECT_EQ(finding.mtu_bytes, 1400u);
  EXPECT_FALSE(finding.is_black_hole());
}
TEST(HubProbe, AsksNoMoreThanTheInterfaceTakes) {
  Path path;
  path.mtu_bytes = 1420;
  const auto finding = path.run(1420);
  EXPECT_EQ(finding.mtu_bytes, 1420u);
  EXPECT_FALSE(finding.is_black_hole());
}
TEST(HubProbe, GivesASilentHubUpAfterItsTries) {
  Path path;
  path.answers = false;
  const auto finding = path.run();
  EXPECT_FALSE(finding.rtt);
  EXPECT_FALSE(finding.is_black_hole());
  EXPECT_EQ(path.sent, HubProbe::kTries);
  EXPECT_EQ(path.now - Instant{}, HubProbe::kTries * HubProbe::kAnswerTime);
}
TEST(HubProbe, TakesNoAnswerFromElsewhereOrToNothingThatItAsked) {
  HubProbe probe({{kProbedHub, 1500}}, Rng::from_seed(1), Instant{});
  std::array<std::byte, 2048> slot{};
  const auto transmit = probe.poll_transmit(Instant{}, slot);
  ASSERT_TRUE(transmit);
  std::array<std::byte, 1500> out{};
  Path path;
  const auto answer = path.hub.handle_request(Instant{}, kMe, stun::ServerPort::kMain,
                                              ConstBytes(slot).first(transmit->size), out);
  ASSERT_TRUE(answer);
  const ConstBytes bytes = ConstBytes(out).first(answer->size);
  EXPECT_FALSE(probe.handle_answer(Instant{}, Wall{}, kMe, bytes));
  out[10] ^= std::byte{1};  // of the transaction
  EXPECT_FALSE(probe.handle_answer(Instant{}, Wall{}, kProbedHub, bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(probe.handle_answer(Instant{}, Wall{}, kProbedHub, bytes.first(size)));
  }
}

}  // namespace
}  // namespace ginnel::host
