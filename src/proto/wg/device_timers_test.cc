// Every row of the WireGuard paper's timers (section 6) in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/wg/device.h"
#include "proto/wg/testing/world.h"

namespace ginnel::wg {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::endpoint_of;
using ::testing::IsEmpty;
using testing::Sent;
using testing::World;

constexpr double kStart = 1.0;  // World::now at first, in seconds
constexpr auto kNothingArrives = [](const Sent&) { return true; };

double seconds(Instant t) { return static_cast<double>(t.ns) / 1e9; }
double last_time(const World& world, int from, MessageType type) {
  return world.times(from, type).back();
}

// REKEY_TIMEOUT: 5 s and up to 333 ms; REKEY_ATTEMPT_TIME: 90 s.
TEST(Timers, LostInitiationIsRepeatedEach5SecondsFor90SecondsThenGivenUp) {
  World world;
  world.lose = kNothingArrives;
  (void)world.send(0, "hello");
  world.run_for(200s);
  const auto times = world.times(0, MessageType::kInitiation);
  EXPECT_GE(times.size(), 17u);
  EXPECT_LE(times.size(), 18u);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], 5.0);
    EXPECT_LE(times[i] - times[i - 1], 5.334);
  }
  EXPECT_EQ(world[0].failed, 1);
  // What was staged is gone; new data begins anew.
  world.lose = [](const Sent&) { return false; };
  (void)world.send(0, "new");
  world.run_for(1s);
  EXPECT_THAT(world[1].received, ElementsAre("new"));
}

// docs/design.md section 5: max(250 ms, 2 RTT), then 1, 3, 7 s, then each 5 s.
TEST(Timers, OurOwnNodesAreAskedAgainSooner) {
  World world({.config = {}, .retransmission = Retransmission::kOwnNode});
  world.lose = kNothingArrives;
  world.begin(0);
  world.run_for(18s);
  EXPECT_THAT(world.times(0, MessageType::kInitiation),
              ElementsAre(kStart, kStart + 0.25, kStart + 1, kStart + 3, kStart + 7, kStart + 12,
                          kStart + 17));
  world.run_for(80s);
  EXPECT_EQ(world[0].failed, 1);
}

TEST(Timers, OurOwnNodesFarAwayAreNotAskedBeforeTheyCanAnswer) {
  World world({.config = {}, .retransmission = Retransmission::kOwnNode});
  world.device(0).set_rtt(world[0].peer, 600ms);
  world.lose = kNothingArrives;
  world.begin(0);
  world.run_for(8s);
  EXPECT_THAT(world.times(0, MessageType::kInitiation),
              ElementsAre(kStart, kStart + 1.2, kStart + 2.4, kStart + 3.6, kStart + 7));
}

TEST(Timers, AtMostOneInitiationIn5Seconds) {
  World world;
  world.lose = kNothingArrives;
  for (int i = 0; i < 49; ++i) {
    world.begin(0);
    (void)world.send(0, "x");
    world.run_for(100ms);
  }
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 1);
}

TEST(Timers, NewEndpointDuringAnAttemptIsTriedWithoutWaitingForTheTimer) {
  World world({.config = {}, .retransmission = Retransmission::kOwnNode});
  world.device(0).set_endpoint(world.now, world[0].peer, kSocket, endpoint_of(7));
  world.begin(0);
  world.run_for(4s);
  EXPECT_THAT(world[0].established, IsEmpty());
  world.device(0).set_endpoint(world.now, world[0].peer, kSocket, endpoint_of(1));
  world.run_for(300ms);
  EXPECT_EQ(world[0].established.size(), 1u);
}

// REKEY_AFTER_TIME is looked at when something is sent, and by the pair's initiator only.
TEST(Timers, InitiatorRenewsAPairOf120SecondsWhenItSends) {
  World world;
  world.connect();
  const double established = kStart;
  while (seconds(world.now) < established + 125) {
    (void)world.send(1, "from the responder");
    (void)world.send(0, "from the initiator");
    world.run_for(1s);
  }
  EXPECT_EQ(world.count(1, MessageType::kInitiation), 0);
  ASSERT_EQ(world.count(0, MessageType::kInitiation), 2);
  EXPECT_THAT(last_time(world, 0, MessageType::kInitiation), DoubleNear(established + 120, 1.1));
  EXPECT_EQ(world[0].established.size(), 2u);
  EXPECT_EQ(world[1].established.size(), 2u);
}

TEST(Timers, NothingIsRenewedWhileNothingIsSent) {
  World world;
  world.connect();
  world.run_for(600s);
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 1);
  EXPECT_EQ(world.count(1, MessageType::kInitiation), 0);
}

TEST(Timers, NothingIsLostWhileKeysAreRenewed) {
  World world;
  world.connect();
  int sent = 0;
  while (seconds(world.now) < 400) {
    for (const int from : {0, 1}) ASSERT_TRUE(world.send(from, std::to_string(sent))) << sent;
    ++sent;
    world.run_for(100ms);
  }
  world.run_for(1s);
  EXPECT_EQ(world[0].received.size(), static_cast<std::size_t>(sent));
  EXPECT_EQ(world[1].received.size(), static_cast<std::size_t>(sent));
  EXPECT_EQ(world[0].established.size(), 4u);
}

// REKEY_AFTER_MESSAGES.
TEST(Timers, PairIsRenewedAfterItsMessagesByEitherRole) {
  Config config;
  config.rekey_after_messages = 50;
  for (const int sender : {0, 1}) {
    World world({.config = config});
    world.connect();
    world.run_for(10s);
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(world.send(sender, "x"));
      world.run_for(10ms);
    }
    EXPECT_EQ(world.count(sender, MessageType::kInitiation), sender == 0 ? 2 : 1);
    EXPECT_EQ(world[sender].established.size(), 2u);
  }
}

// REJECT_AFTER_MESSAGES: refuse to send.
TEST(Timers, PairAtItsLastMessageSendsNoMoreUntilRenewed) {
  Config config;
  config.reject_after_messages = 20;
  World world({.config = config});
  world.connect();
  world.run_for(10s);
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += !world.send(0, std::to_string(i)).has_value();
  EXPECT_EQ(refused, 30 - 19) << "one counter went for the first packet";
  world.run_for(1s);
  EXPECT_EQ(world[1].received.size(), 30u) << "the rest came under new keys";
}

// REJECT_AFTER_TIME.
TEST(Timers, PairOlderThan180SecondsNeitherSendsNorReceives) {
  World world;
  world.connect();
  ByteVector kept(200);
  const auto size = world.device(0).seal(world.now, world[0].peer, bytes_of("late"), kept);
  kept.resize(*size);
  world.lose = [](const Sent& s) { return s.type != MessageType::kData; };
  world.run_until({181'100'000'000});
  EXPECT_EQ(world.deliver(1, kept).error(), Drop::kExpired);
  EXPECT_EQ(world.send(0, "x").error(), NotReady::kStaged);
}

// The last-minute rekey: on receive, 180 - 10 - 5 = 165 s. The initiator sends nothing after 120 s,
// so that only this rule is left.
TEST(Timers, InitiatorThatOnlyListensRenewsAPairOf165Seconds) {
  World world;
  world.connect();
  world.run_until({166'500'000'000});
  ASSERT_EQ(world.count(0, MessageType::kInitiation), 1);
  ASSERT_TRUE(world.send(1, "late"));
  world.run_for(1s);
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 2);
  EXPECT_THAT(last_time(world, 0, MessageType::kInitiation), DoubleNear(kStart + 165.51, 0.001));
  EXPECT_EQ(world[0].established.size(), 2u);
}

// KEEPALIVE_TIMEOUT: passive keepalive.
TEST(Timers, DataWithoutAnAnswerIsAcknowledgedByOneKeepaliveAfter10Seconds) {
  World world;
  world.connect();  // "connect" is data too
  world.run_for(30s);
  EXPECT_EQ(world.keepalives(1), 1);
  EXPECT_EQ(world.keepalives(0), 0) << "a keepalive is not answered by one";
  ASSERT_TRUE(world.send(0, "x"));
  const double sent = seconds(world.now);
  world.run_for(9s);
  EXPECT_EQ(world.keepalives(1), 1);
  world.run_for(20s);
  EXPECT_EQ(world.keepalives(1), 2);
  EXPECT_THAT(last_time(world, 1, MessageType::kData), DoubleNear(sent + 10.01, 0.001));
}

TEST(Timers, DataThatCameWhileAKeepaliveWasDueGetsAnotherOne) {
  World world;
  world.connect();
  world.run_for(30s);
  ASSERT_TRUE(world.send(0, "x"));
  world.run_for(5s);
  ASSERT_TRUE(world.send(0, "y"));
  world.run_for(60s);
  EXPECT_EQ(world.keepalives(1), 3) << "10 and 20 s after x";
}

TEST(Timers, AnswerInTimeSparesTheKeepalive) {
  World world;
  world.connect();
  world.run_for(30s);
  const int before = world.keepalives(1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world.send(0, "x"));
    world.run_for(5s);
    if (seconds(world.now) > 110) break;
    ASSERT_TRUE(world.send(1, "y"));
  }
  EXPECT_EQ(world.keepalives(1), before);
}

// KEEPALIVE_TIMEOUT + REKEY_TIMEOUT: nothing heard since we sent.
TEST(Timers, UnansweredDataBeginsAHandshakeAfter15Seconds) {
  World world;
  world.connect();
  world.run_for(30s);
  world.lose = [](const Sent& s) { return s.from == 1; };
  ASSERT_TRUE(world.send(0, "x"));
  const double sent = seconds(world.now);
  world.run_for(14900ms);
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 1);
  world.run_for(500ms);
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 2);
  const double at = last_time(world, 0, MessageType::kInitiation);
  EXPECT_GE(at, sent + 15);
  EXPECT_LE(at, sent + 15.334);
}

// REJECT_AFTER_TIME * 3.
TEST(Timers, AllKeysAreWiped540SecondsAfterTheLastHandshake) {
  World world;
  world.connect();
  world.run_until({540'900'000'000});
  EXPECT_NE(world.device(0).current_key_pair(world[0].peer), nullptr);
  EXPECT_EQ(world[0].retired.size(), 0u);
  world.run_for(1s);
  for (const int node : {0, 1}) {
    EXPECT_EQ(world.device(node).current_key_pair(world[node].peer), nullptr);
    EXPECT_EQ(world[node].retired.size(), 1u);
    EXPECT_EQ(world.device(node).receiver_indices(), 0u);
  }
}

TEST(Timers, PersistentKeepaliveHoldsASessionAndMakesTheFirst) {
  World world;
  world.device(0).set_persistent_keepalive(world.now, world[0].peer, 25s);
  world.run_for(110s);
  EXPECT_EQ(world[0].established.size(), 1u);
  EXPECT_GE(world.keepalives(0), 4);
  EXPECT_LE(world.keepalives(0), 6);
  world.device(0).set_persistent_keepalive(world.now, world[0].peer, 0s);
  const int before = world.keepalives(0);
  world.run_for(100s);
  EXPECT_EQ(world.keepalives(0), before);
}

TEST(Timers, PersistentKeepaliveIsSparedWhileAnyPacketFlows) {
  World world;
  world.connect();
  world.device(0).set_persistent_keepalive(world.now, world[0].peer, 5s);
  const int before = world.keepalives(0);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world.send(1, "x"));
    world.run_for(4s);
    ASSERT_TRUE(world.send(0, "y"));
  }
  EXPECT_EQ(world.keepalives(0), before);
}

// Traffic that only forwarding threads see: the Device finds it in the pair's activity.
TEST(Timers, SweepFindsWhatForwardingThreadsSent) {
  Config config;
  config.sweep_interval = 1s;
  World world({.config = config});
  world.connect();
  world.run_until({119'500'000'000});
  ASSERT_EQ(world.count(0, MessageType::kInitiation), 1);
  KeyPair* pair = world.device(0).current_key_pair(world[0].peer);
  for (int i = 0; i < 4; ++i) {
    pair->activity().note_sent(world.now, Activity::Packet::kData);
    pair->activity().note_received(world.now, Activity::Packet::kData);
    world.run_for(1s);
  }
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 2);
  EXPECT_THAT(last_time(world, 0, MessageType::kInitiation), DoubleNear(kStart + 120.5, 1.1));
}

TEST(Timers, SweepFindsThatAForwardingThreadOwesAKeepalive) {
  Config config;
  config.sweep_interval = 1s;
  World world({.config = config});
  world.connect();
  world.run_for(20s);
  const int before = world.keepalives(0);
  KeyPair* pair = world.device(0).current_key_pair(world[0].peer);
  pair->activity().note_received(world.now, Activity::Packet::kData);
  const double received = seconds(world.now);
  world.run_for(15s);
  EXPECT_EQ(world.keepalives(0), before + 1);
  EXPECT_THAT(last_time(world, 0, MessageType::kData), DoubleNear(received + 10, 0.001));
}

// After an attempt failed, old activity begins no new one.
TEST(Timers, NothingIsTriedAgainBeforeNewDataWantsOut) {
  Config config;
  config.sweep_interval = 1s;
  World world({.config = config});
  world.connect();
  world.run_until({122'000'000'000});
  world.lose = kNothingArrives;
  (void)world.send(0, "x");
  world.run_for(100s);
  EXPECT_EQ(world[0].failed, 1);
  const int before = world.count(0, MessageType::kInitiation);
  world.run_for(300s);
  EXPECT_EQ(world.count(0, MessageType::kInitiation), before);
}

TEST(Timers, IdleDeviceAsksForNoTimeout) {
  World world;
  EXPECT_EQ(world.device(0).next_timeout(), std::nullopt);
  world.connect();
  world.run_for(3600s);
  EXPECT_EQ(world.device(0).next_timeout(), std::nullopt);
}

// A week of traffic every few seconds.
TEST(Timers, SessionLivesForAWeek) {
  World world;
  world.connect();
  std::size_t sent = 0;
  Rng rng = Rng::from_seed(6);
  while (seconds(world.now) < 7 * 24 * 3600.0) {
    (void)world.send(static_cast<int>(rng.below(2)), "x");
    ++sent;
    world.run_for(rng.between(1s, 400s));
    world.sent.clear();
    world[0].retired.clear();
    world[1].retired.clear();
  }
  world.run_for(10s);
  EXPECT_EQ(world[0].received.size() + world[1].received.size(), sent);
  EXPECT_EQ(world[0].failed + world[1].failed, 0);
}

}  // namespace
}  // namespace ginnel::wg
