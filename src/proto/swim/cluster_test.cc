// Whole clusters in virtual time: what an operator would see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/swim/testing/cluster.h"

namespace ginnel::swim {
namespace {

using testing::Cluster;

TEST(Cluster, TwoMembersKnowEachOtherAfterAJoin) {
  Cluster c;
  c.start(2);
  EXPECT_TRUE(c.all_see(2));
  EXPECT_EQ(c.events_of<JoinDone>(1).size(), 1u);
  EXPECT_EQ(c.events_of<Joined>(0).size(), 1u);
  EXPECT_EQ(c.events_of<Joined>(1).size(), 1u);
}

TEST(Cluster, FiftyMembersConvergeWithinTwoSeconds) {
  Cluster c;
  c.start(50);
  c.run(1s);
  EXPECT_TRUE(c.all_see(50));
}

TEST(Cluster, IsQuietAndHealthyWhenNothingHappens) {
  Cluster c;
  c.start(10);
  c.run(30s);
  c.clear_events();
  const std::size_t before = c.datagrams(3);
  c.run(60s);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(c.events(i).empty()) << i;
  // One ping and about one ack a second.
  EXPECT_NEAR(static_cast<double>(c.datagrams(3) - before), 120, 45);
}

TEST(Cluster, AKilledMemberIsSuspectedThenFailedEverywhere) {
  Cluster c;
  c.start(10);
  c.clear_events();
  c.kill(4);
  c.run(20s);
  for (std::size_t i = 0; i < 10; ++i) {
    if (i == 4) continue;
    EXPECT_EQ(c.state(i, 4), State::kDead) << i;
    EXPECT_EQ(c.events_of<Suspected>(i).size(), 1u) << i;
    ASSERT_EQ(c.events_of<Failed>(i).size(), 1u) << i;
    EXPECT_FALSE(c.events_of<Failed>(i)[0].member.suspected_by.empty()) << i;
  }
}

TEST(Cluster, ALeavingMemberIsLeftEverywhereAndStillAnswers) {
  Cluster c;
  c.start(5);
  c.clear_events();
  c[2].leave(c.now(), 5s);
  c.settle(2);
  c.run(5s);
  EXPECT_EQ(c.events_of<LeaveDone>(2).size(), 1u);
  for (std::size_t i = 0; i < 5; ++i) {
    if (i == 2) continue;
    EXPECT_EQ(c.state(i, 2), State::kLeft) << i;
    EXPECT_EQ(c.events_of<Left>(i).size(), 1u) << i;
    EXPECT_TRUE(c.events_of<Failed>(i).empty()) << i;
  }
}

TEST(Cluster, AMemberThatLeftCanJoinAgainWithoutARestart) {
  Cluster c;
  c.start(3);
  c[2].leave(c.now(), 5s);
  c.settle(2);
  c.run(40s);
  c.join(2, 0);
  c.run(2s);
  EXPECT_TRUE(c.all_see(3));
}

TEST(Cluster, ARestartedMemberIsAliveAgain) {
  Cluster c;
  c.start(5);
  c.kill(3);
  c.run(15s);
  Config config = Config::lan();
  config.meta = to_vector(bytes_of("new"));
  c.restart(3, config);
  c.join(3, 0);
  c.run(3s);
  EXPECT_TRUE(c.all_see(5));
  EXPECT_EQ(c[1].member("n3")->meta, to_vector(bytes_of("new")));
}

TEST(Cluster, APausedMemberIsSuspectedAndRefutesWhenItGoesOn) {
  Cluster c;
  c.start(10);
  c.clear_events();
  c.pause(4);
  c.run(4s);
  c.resume(4);
  c.run(5s);
  EXPECT_GE(c.events_of<Refuted>(4).size(), 1u);
  EXPECT_TRUE(c.all_see(10));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(c.events_of<Failed>(i).empty()) << i;
}

TEST(Cluster, AMemberThatOneOtherCannotReachIsKeptAliveByIndirectPings) {
  Cluster c;
  c.start(6);
  c.clear_events();
  c.set_passes([](std::size_t from, std::size_t to, bool) {
    return !((from == 0 && to == 1) || (from == 1 && to == 0));
  });
  c.run(60s);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(c.events_of<Suspected>(i).empty()) << i;
}

TEST(Cluster, AMemberWhoseUdpIsBlockedIsKeptAliveByStreamPings) {
  Cluster c;
  c.start(4);
  c.clear_events();
  c.set_passes([](std::size_t from, std::size_t to, bool stream) {
    return stream || (from != 2 && to != 2);
  });
  c.run(60s);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(c.events_of<Failed>(i).empty()) << i;
}

TEST(Cluster, StaysWholeWithTenPercentLoss) {
  Cluster c({.seed = 5, .loss = 0.1});
  c.start(20);
  c.run(120s);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(c.events_of<Failed>(i).empty()) << i;
  EXPECT_TRUE(c.all_see(20));
}

// memberlist never does (facts: #222 and a dozen others): its dead are forgotten after 30 s.
TEST(Cluster, APartitionOfAnHourHealsByItselfWithinTwoMinutes) {
  Cluster c;
  c.start(10);
  c.set_passes([](std::size_t from, std::size_t to, bool) { return (from < 5) == (to < 5); });
  c.run(3600s);
  EXPECT_TRUE(c.all_see(5));
  c.set_passes(nullptr);
  c.run(120s);
  EXPECT_TRUE(c.all_see(10));
}

TEST(Cluster, AShortPartitionHealsToo) {
  Cluster c;
  c.start(4);
  c.set_passes([](std::size_t from, std::size_t to, bool) { return (from < 2) == (to < 2); });
  c.run(20s);
  c.set_passes(nullptr);
  c.run(120s);
  EXPECT_TRUE(c.all_see(4));
}

TEST(Cluster, ADeadNameIsForgottenAfterItsTime) {
  Cluster c;
  Config config = Config::lan();
  config.dead_kept_time = 30min;
  c.start(3, config);
  c.kill(2);
  c.run(29min);
  EXPECT_EQ(c.state(0, 2), State::kDead);
  c.run(2min);
  EXPECT_EQ(c.state(0, 2), std::nullopt);
  EXPECT_EQ(c.events_of<Reaped>(0).size(), 1u);
}

TEST(Cluster, ADeadNameMayComeBackAtAnotherAddress) {
  Cluster c;
  c.start(3);
  c.kill(2);
  c.run(60s);
  Config config = Config::lan();
  config.advertise = Cluster::endpoint_of(77);
  c.restart(2, config);
  c.join(2, 0);
  c.run(3s);
  EXPECT_TRUE(c.all_see(3));
  EXPECT_EQ(c[1].member("n2")->endpoint, Cluster::endpoint_of(77));
}

TEST(Cluster, ANameThatIsAliveElsewhereIsAConflictAndTheFirstHolderStays) {
  Cluster c;
  c.start(3);
  Config config = Config::lan();
  config.name = "n1";
  const std::size_t impostor = c.add(config);
  c.join(impostor, 0);
  c.run(10s);
  EXPECT_EQ(c[0].member("n1")->endpoint, Cluster::endpoint_of(1));
  EXPECT_FALSE(c.events_of<Conflict>(0).empty());
  EXPECT_FALSE(c.events_of<NameTaken>(impostor).empty());
  EXPECT_TRUE(c.events_of<JoinDone>(impostor).empty());
}

TEST(Cluster, ChangedMetaReachesEverybody) {
  Cluster c;
  c.start(8);
  c.clear_events();
  ASSERT_TRUE(c[5].set_meta(c.now(), bytes_of("role=web")));
  c.settle(5);
  c.run(3s);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(text_of(c[i].member("n5")->meta), "role=web") << i;
    EXPECT_EQ(c.events_of<Updated>(i).size(), i == 5 ? 0u : 1u) << i;
  }
}

TEST(Cluster, UserMessagesArriveByAllThreeWays) {
  Cluster c;
  c.start(3);
  c.clear_events();
  ASSERT_TRUE(c[0].send_best_effort("n1", bytes_of("udp")));
  const ByteVector large(100'000, std::byte{'x'});
  const auto stream = c[0].send_reliable(c.now(), "n1", large);
  ASSERT_TRUE(stream);
  c.settle(0);
  c.run(1s);
  auto got = c.events_of<UserMessage>(1);
  ASSERT_EQ(got.size(), 2u);
  if (got[0].reliable) std::swap(got[0], got[1]);
  EXPECT_EQ(text_of(got[0].bytes), "udp");
  EXPECT_FALSE(got[0].reliable);
  EXPECT_TRUE(got[1].bytes == large);
  EXPECT_TRUE(got[1].reliable);
  ASSERT_EQ(c.events_of<SendDone>(0).size(), 1u);
  EXPECT_TRUE(c.events_of<SendDone>(0)[0].sent);
  c.clear_events();
  ASSERT_TRUE(c[0].broadcast(c.now(), "", bytes_of("rumor")));
  c.settle(0);
  c.run(2s);
  EXPECT_FALSE(c.events_of<UserMessage>(1).empty());
  EXPECT_FALSE(c.events_of<UserMessage>(2).empty());
}

TEST(Cluster, UserStateTravelsWithEachPushPull) {
  Cluster c;
  c.add();
  c.add();
  c[0].set_user_state(to_vector(bytes_of("state of n0")));
  c.join(1, 0);
  c.run(1s);
  const auto got = c.events_of<RemoteState>(1);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(text_of(got[0].bytes), "state of n0");
  EXPECT_TRUE(got[0].join);
}

TEST(Cluster, AckPayloadsReachTheProber) {
  Cluster c;
  c.start(2);
  c[0].set_ack_payload(to_vector(bytes_of("coordinate")));
  c.run(5s);
  const auto got = c.events_of<AckPayload>(1);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got[0].name, "n0");
  EXPECT_EQ(text_of(got[0].bytes), "coordinate");
  EXPECT_EQ(got[0].round_trip, 2ms);
}

ByteVector key(char c) { return ByteVector(32, static_cast<std::byte>(c)); }

TEST(Cluster, KeysChangeWithoutAnOutage) {
  Cluster c;
  for (std::size_t i = 0; i < 4; ++i) {
    c.add();
    c[i].framer().keys().install(*crypto::AesKey::from(key('a'))).value();
    if (i > 0) c.join(i, 0);
  }
  c.run(2s);
  ASSERT_TRUE(c.all_see(4));
  c.clear_events();
  for (std::size_t i = 0; i < 4; ++i) {
    c[i].framer().keys().install(*crypto::AesKey::from(key('b'))).value(), c.run(3s);
  }
  for (std::size_t i = 0; i < 4; ++i) c[i].framer().keys().use(key('b')).value(), c.run(3s);
  for (std::size_t i = 0; i < 4; ++i) c[i].framer().keys().remove(key('a')).value(), c.run(3s);
  c.run(30s);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(c.events_of<Suspected>(i).empty()) << i;
}

// memberlist's rollout: (in, out) = (no, no), (no, yes), (yes, yes).
TEST(Cluster, EncryptionIsTurnedOnInThreeStepsWithoutAnOutage) {
  Cluster c;
  c.start(4);
  c.clear_events();
  for (std::size_t i = 0; i < 4; ++i) {
    c[i].framer().set_verify(false, false);
    c[i].framer().keys().install(*crypto::AesKey::from(key('a'))).value(), c.run(3s);
  }
  for (std::size_t i = 0; i < 4; ++i) c[i].framer().set_verify(false, true), c.run(3s);
  for (std::size_t i = 0; i < 4; ++i) c[i].framer().set_verify(true, true), c.run(3s);
  c.run(30s);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(c.events_of<Suspected>(i).empty()) << i;
}

TEST(Cluster, MembersOfOneLabelAndKeyFindEachOther) {
  Cluster c;
  Config blue = Config::lan();
  blue.frame.label = "blue";
  for (std::size_t i = 0; i < 3; ++i) {
    c.add(blue);
    c[i].framer().keys().install(*crypto::AesKey::from(key('a'))).value();
    if (i > 0) c.join(i, 0);
  }
  c.run(2s);
  EXPECT_TRUE(c.all_see(3));
  c.clear_events();
  c.run(30s);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(c.events_of<Suspected>(i).empty()) << i;
}

TEST(Cluster, MembersWithIpv6AddressesFindEachOther) {
  Cluster c;
  for (std::size_t i = 0; i < 3; ++i) {
    Config v6 = Config::lan();
    v6.advertise = *Endpoint::parse("[fd00::" + std::to_string(i + 1) + "]:7946");
    c.add(v6);
    if (i > 0) c.join(i, 0);
  }
  c.run(10s);
  EXPECT_TRUE(c.all_see(3));
  EXPECT_EQ(c[2].member("n1")->endpoint, *Endpoint::parse("[fd00::2]:7946"));
}

TEST(Cluster, AJoinThatNobodyAnswersEndsAfterTheTcpTimeout) {
  Cluster c;
  c.add();
  c[0].join(c.now(), Cluster::endpoint_of(7));
  c.settle(0);
  c.run(9s);
  EXPECT_TRUE(c.events_of<JoinFailed>(0).empty());
  c.run(2s);
  ASSERT_EQ(c.events_of<JoinFailed>(0).size(), 1u);
  EXPECT_EQ(c.events_of<JoinFailed>(0)[0].error, JoinError::kTimeout);
}

TEST(Cluster, AMemberWithAnotherKeyOrLabelDoesNotGetIn) {
  Cluster c;
  Config blue = Config::lan(), red = Config::lan();
  blue.frame.label = "blue";
  red.frame.label = "red";
  c.add(blue);
  c.add(blue);
  c.add(red);
  c.join(1, 0);
  c.join(2, 0);
  c.run(5s);
  EXPECT_EQ(c[0].alive_count(), 2u);
  EXPECT_EQ(c[2].alive_count(), 1u);
  EXPECT_EQ(c.events_of<JoinFailed>(2).size(), 1u);
  EXPECT_GT(c[0].dropped(Drop::kWrongLabel), 0u);
}

// wire/memberlist: a member whose delegate numbers are 0,0,0 can't merge with serf's agents.
TEST(Cluster, VersionsThatDoNotFitFailTheJoinOnBothSides) {
  Cluster c;
  Config serf = Config::lan();
  serf.vsn = {1, 5, 2, 2, 5, 5};
  c.add(serf);
  c.add();
  c.join(1, 0);
  c.run(2s);
  EXPECT_EQ(c.events_of<JoinFailed>(1).size(), 1u);
  EXPECT_GE(c.events_of<MergeRefused>(0).size(), 1u);
  EXPECT_EQ(c[1].alive_count(), 1u);
}

TEST(Cluster, AMergeVetoKeepsTheNewcomerOut) {
  Cluster c;
  Config careful = Config::lan();
  careful.ask_merge = true;
  c.add(careful);
  c.add();
  c.join(1, 0);
  c.run(100ms);
  const auto asked = c.events_of<AskMerge>(0);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].members[0].name, "n1");
  c[0].answer_merge(c.now(), asked[0].id, false);
  c.settle(0);
  EXPECT_EQ(c[0].alive_count(), 1u);
}

TEST(Cluster, AnAliveVetoKeepsOneMemberOut) {
  Cluster c;
  Config careful = Config::lan();
  careful.ask_alive = true;
  c.add(careful);
  c.add();
  c.join(1, 0);
  c.run(100ms);
  const auto asked = c.events_of<AskAlive>(0);
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(c[0].alive_count(), 1u);
  c[0].answer_alive(c.now(), asked[0].id, true);
  EXPECT_EQ(c[0].alive_count(), 2u);
}

}  // namespace
}  // namespace ginnel::swim
