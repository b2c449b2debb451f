#include "node/hub_link.h"

#include <gtest/gtest.h>

namespace ginnel::node {
namespace {

constexpr Instant at(Nanoseconds t) { return Instant{} + t; }

control::Registered answer(std::uint32_t sequence) {
  control::Registered out;
  out.sequence = sequence;
  out.relay_index = 5;
  out.heartbeat_ms = 2000;
  out.hub_epoch = 9;
  return out;
}

class HubLinkTest : public ::testing::Test {
 protected:
  void go_online(Instant now) {
    link_.session_up(now);
    EXPECT_TRUE(link_.handle_registered(now, answer(link_.take_register(now).sequence)));
  }
  control::HeartbeatAck ack(const control::Heartbeat& heartbeat) {
    control::HeartbeatAck out;
    out.state = heartbeat;
    return out;
  }
  HubLink link_{crypto::NetworkPublic{}, 2s};
};

// docs/wire/ginnel.md section 7: repeated after 250 ms, 500 ms, 1 s until answered.
TEST_F(HubLinkTest, RegistersUntilAnswered) {
  EXPECT_FALSE(link_.register_due(at(0s)));
  link_.session_up(at(0s));
  EXPECT_TRUE(link_.register_due(at(0s)));
  (void)link_.take_register(at(0s));
  EXPECT_FALSE(link_.register_due(at(249ms)));
  EXPECT_TRUE(link_.register_due(at(250ms)));
  link_.handle_registered(at(260ms), answer(1));
  EXPECT_EQ(link_.state(), HubLink::State::kOnline);
  EXPECT_FALSE(link_.register_due(at(10s)));
}

TEST_F(HubLinkTest, AnAnswerToAnOlderRegisterLeavesTheNewerOneOpen) {
  link_.session_up(at(0s));
  (void)link_.take_register(at(0s));
  (void)link_.take_register(at(250ms));
  link_.handle_registered(at(260ms), answer(1));
  EXPECT_TRUE(link_.register_due(at(1s)));
}

TEST_F(HubLinkTest, HeartbeatsEachIntervalAndSoonerWhenUnanswered) {
  go_online(at(0s));
  EXPECT_FALSE(link_.heartbeat_due(at(1999ms)));
  EXPECT_TRUE(link_.heartbeat_due(at(2s)));
  auto heartbeat = link_.take_heartbeat(at(2s));
  EXPECT_TRUE(link_.heartbeat_due(at(2500ms)));
  EXPECT_EQ(link_.handle_heartbeat_ack(at(2050ms), ack(heartbeat)), 50ms);
  EXPECT_FALSE(link_.heartbeat_due(at(3999ms)));
  EXPECT_TRUE(link_.heartbeat_due(at(4s)));
}

TEST_F(HubLinkTest, IsLostAfterThreeSilentIntervalsOnce) {
  go_online(at(0s));
  EXPECT_FALSE(link_.take_lost(at(5999ms)));
  EXPECT_TRUE(link_.take_lost(at(6s)));
  EXPECT_FALSE(link_.take_lost(at(7s)));
  EXPECT_EQ(link_.state(), HubLink::State::kDown);
}

TEST_F(HubLinkTest, AnnouncesChangesAtMostOncePerSecond) {
  go_online(at(0s));
  link_.announce(at(100ms));
  EXPECT_FALSE(link_.register_due(at(999ms)));
  EXPECT_TRUE(link_.register_due(at(1s)));
}

TEST_F(HubLinkTest, AsksForASnapshotWhenTheHubIsAheadForAnInterval) {
  go_online(at(0s));
  auto behind = ack(link_.take_heartbeat(at(2s)));
  behind.state.table = {9, 12};
  link_.handle_heartbeat_ack(at(2s), behind);
  EXPECT_FALSE(link_.take_snapshot_request(at(3s)));
  EXPECT_TRUE(link_.take_snapshot_request(at(4s)));
  EXPECT_FALSE(link_.take_snapshot_request(at(4s)));
}

TEST_F(HubLinkTest, AHubFartherAwayThanTheRetryIsMeasuredAndAskedNoMoreOften) {
  go_online(at(0s));
  const auto first = link_.take_heartbeat(at(2s));
  (void)link_.take_heartbeat(at(2500ms));
  EXPECT_EQ(link_.handle_heartbeat_ack(at(2600ms), ack(first)), 600ms);
  EXPECT_FALSE(link_.heartbeat_due(at(4499ms)));
  EXPECT_TRUE(link_.heartbeat_due(at(4500ms)));
  (void)link_.take_heartbeat(at(4500ms));
  EXPECT_FALSE(link_.heartbeat_due(at(5699ms)));
}

TEST_F(HubLinkTest, UnansweredHeartbeatsAreTheLoss) {
  go_online(at(0s));
  Nanoseconds now = 2s;
  for (int i = 0; i < 20; ++i, now += 2s) {
    const auto heartbeat = link_.take_heartbeat(at(now));
    if (i % 4 != 3) {
      EXPECT_TRUE(link_.handle_heartbeat_ack(at(now + 50ms), ack(heartbeat)));
    }
  }
  (void)link_.take_heartbeat(at(now));
  EXPECT_DOUBLE_EQ(*link_.loss(), 5.0 / 20);
}

// docs/wire/ginnel.md section 7, REGISTER: "and every 30 s".
TEST_F(HubLinkTest, ItRegistersAgainEvery30Seconds) {
  go_online(at(0s));
  EXPECT_FALSE(link_.register_due(at(29'999ms)));
  EXPECT_TRUE(link_.register_due(at(30s)));
  const auto message = link_.take_register(at(30s));
  EXPECT_FALSE(link_.register_due(at(30'249ms)));
  EXPECT_TRUE(link_.register_due(at(30'250ms)));
  EXPECT_FALSE(link_.handle_registered(at(30'050ms), answer(message.sequence)));
  EXPECT_FALSE(link_.register_due(at(60s)));
  EXPECT_TRUE(link_.register_due(at(60'050ms)));
}

}  // namespace
}  // namespace ginnel::node
