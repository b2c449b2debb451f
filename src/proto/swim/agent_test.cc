#include "proto/swim/agent.h"

#include <gtest/gtest.h>

#include "proto/swim/testing/agents.h"

namespace ginnel::swim {
namespace {

using testing::Agents;

AgentConfig with(std::optional<App> app, serf::Tags tags = {}) {
  AgentConfig out;
  out.app = app;
  out.tags = std::move(tags);
  return out;
}

// Three members of a serf cluster, known to each other.
void start_serf_cluster(Agents& a, ConstBytes key = {}) {
  for (std::size_t i = 0; i < 3; ++i) {
    a.add(with(App::kSerf, {{"n", std::to_string(i)}}), key);
    if (i > 0) a.join(i, 0);
  }
  a.run(3s);
}

TEST(Agent, BeforeAnyContactItIsSerfsIfItHasTagsElseNobodys) {
  Agents a;
  EXPECT_EQ(a[a.add(with({}))].app(), App::kNone);
  EXPECT_EQ(a[a.add(with({}, {{"role", "web"}}))].app(), App::kSerf);
}

TEST(Agent, TheNewcomerTakesTheNumbersOfTheClusterItJoins) {
  Agents a;
  start_serf_cluster(a);
  const std::size_t plain = a.add(with({}));
  a.join(plain, 1);
  a.run(3s);
  EXPECT_EQ(a[plain].app(), App::kSerf);
  ASSERT_EQ(a.told<AppChosen>(plain).size(), 1u);
  EXPECT_EQ(a.told<JoinDone>(plain).size(), 1u);
  EXPECT_TRUE(a.told<JoinFailed>(plain).empty());
  for (std::size_t i = 0; i < 3; ++i) {
    const auto row = a[i].member("n3");
    ASSERT_TRUE(row) << i;
    EXPECT_EQ(row->vsn, (Vsn{1, 5, 2, 2, 5, 5}));
    EXPECT_EQ(to_hex(row->meta), "ff80");
  }
}

TEST(Agent, OneThatHasMetNobodyTakesTheNumbersOfWhomJoinsIt) {
  Agents a;
  a.add(with({}));
  a.add(with(App::kSerf));
  a.join(1, 0);
  a.run(3s);
  EXPECT_EQ(a[0].app(), App::kSerf);
  EXPECT_EQ(a.told<JoinDone>(1).size(), 1u);
  EXPECT_EQ(a.state(0, 1), State::kAlive);
  EXPECT_EQ(a.state(1, 0), State::kAlive);
}

TEST(Agent, OfTwoThatHaveMetNobodyTheOneWithoutTagsTakesTheNumbers) {
  for (const std::size_t tagged : {0, 1}) {
    Agents a;
    a.add(with({}, tagged == 0 ? serf::Tags{{"role", "web"}} : serf::Tags()));
    a.add(with({}, tagged == 1 ? serf::Tags{{"role", "web"}} : serf::Tags()));
    a.join(1, 0);
    a.run(3s);
    EXPECT_EQ(a[0].app(), App::kSerf) << tagged;
    EXPECT_EQ(a[1].app(), App::kSerf) << tagged;
    EXPECT_EQ(a.told<JoinDone>(1).size(), 1u) << tagged;
    EXPECT_EQ(a.state(0, 1), State::kAlive) << tagged;
  }
}

// A plain memberlist program does not change; it joins with its second attempt.
TEST(Agent, OneWithTagsTakesTheNumbersOfAJoinerThatKeepsItsOwn) {
  Agents a;
  a.add(with({}, {{"role", "web"}}));
  a.add(with(App::kNone));
  a.join(1, 0);
  a.run(2s);
  a.join(1, 0);
  a.run(2s);
  EXPECT_EQ(a[0].app(), App::kNone);
  EXPECT_EQ(a.state(0, 1), State::kAlive);
  EXPECT_EQ(a.state(1, 0), State::kAlive);
}

TEST(Agent, ItTakesNumbersOnceOnly) {
  Agents a;
  a.add(with({}));
  a.add(with(App::kNone));
  a.join(1, 0);
  a.run(3s);
  a.add(with(App::kSerf));
  a.join(2, 0);
  a.run(3s);
  EXPECT_EQ(a[0].app(), App::kNone);
  ASSERT_EQ(a.told<JoinFailed>(2).size(), 1u);
  EXPECT_EQ(a.told<JoinFailed>(2)[0].error, JoinError::kVersions);
}

// Both ranges stand in the text, for whoever reads the log.
TEST(Agent, NumbersThatDoNotFitAreNamedWithTheirRange) {
  Agents a;
  a.add(with(App::kNone));
  a.add(with(App::kSerf));
  a.join(1, 0);
  a.run(3s);
  ASSERT_EQ(a.told<JoinFailed>(1).size(), 1u);
  const std::string why = a.told<JoinFailed>(1)[0].why;
  EXPECT_NE(why.find("delegate protocol"), std::string::npos) << why;
  EXPECT_NE(why.find("["), std::string::npos) << why;
}

TEST(Agent, ANameThatIsAliveElsewhereEndsTheJoinAndChangesNothing) {
  Agents a;
  start_serf_cluster(a);
  AgentConfig config = with({});
  config.swim.name = "n1";
  const std::size_t impostor = a.add(config);
  a.join(impostor, 0);
  a.run(3s);
  ASSERT_EQ(a.told<NameTaken>(impostor).size(), 1u);
  EXPECT_EQ(a.told<NameTaken>(impostor)[0].holder.endpoint, Agents::endpoint_of(1));
  EXPECT_TRUE(a.told<JoinDone>(impostor).empty());
  EXPECT_EQ(a[0].member("n1")->endpoint, Agents::endpoint_of(1));
  ASSERT_FALSE(a.told<Conflict>(0).empty());
  EXPECT_EQ(a.told<Conflict>(0)[0].other, Agents::endpoint_of(3));
}

TEST(Agent, LeavingTakesAtMostFiveSecondsAndIsSeenAsLeft) {
  Agents a;
  start_serf_cluster(a);
  a[2].leave(a.now());
  a.settle(2);
  a.run(5s);
  EXPECT_EQ(a.told<Gone>(2).size(), 1u);
  EXPECT_EQ(a.state(0, 2), State::kLeft);
  EXPECT_EQ(a.told<Left>(0).size(), 1u);
  EXPECT_TRUE(a.told<Failed>(0).empty());
}

TEST(Agent, AMemberAloneLeavesAtOnce) {
  Agents a;
  a.add(with(App::kSerf));
  a[0].leave(a.now());
  a.settle(0);
  EXPECT_EQ(a.told<Gone>(0).size(), 1u);
}

// `serf force-leave`: an intent to leave for a member that failed.
TEST(Agent, AFailedMemberThatIsSaidToHaveLeftCountsAsLeft) {
  Agents a;
  start_serf_cluster(a);
  a.kill(2);
  a.run(60s);
  ASSERT_EQ(a.state(0, 2), State::kDead);
  const ByteVector intent = serf::encode(serf::LeaveIntent{1000, "n2"});
  ByteVector datagram{static_cast<std::byte>(MessageType::kUser)};
  datagram.insert(datagram.end(), intent.begin(), intent.end());
  a[0].handle_datagram(a.now(), kSocket, Agents::endpoint_of(1), datagram);
  a.settle(0);
  a.run(2s);
  EXPECT_EQ(a.state(0, 2), State::kLeft);
  EXPECT_EQ(a.state(1, 2), State::kLeft);
  EXPECT_EQ(a.told<Left>(1).size(), 1u);
}

TEST(Agent, ALeaveIntentAboutALivingMemberIsRefuted) {
  Agents a;
  start_serf_cluster(a);
  const ByteVector intent = serf::encode(serf::LeaveIntent{1000, "n2"});
  ByteVector datagram{static_cast<std::byte>(MessageType::kUser)};
  datagram.insert(datagram.end(), intent.begin(), intent.end());
  a[0].handle_datagram(a.now(), kSocket, Agents::endpoint_of(1), datagram);
  a.settle(0);
  a.run(3s);
  EXPECT_EQ(a.state(0, 2), State::kAlive);
  EXPECT_FALSE(a[0].serf_layer().is_leaving("n2"));
}

TEST(Agent, AnEventReachesEverybodyOnce) {
  Agents a;
  start_serf_cluster(a);
  ASSERT_TRUE(a[1].event(a.now(), "deploy", bytes_of("v1"), true));
  a.settle(1);
  a.run(3s);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto events = a.told<serf::EventArrived>(i);
    ASSERT_EQ(events.size(), 1u) << i;
    EXPECT_EQ(events[0].name, "deploy");
    EXPECT_EQ(text_of(events[0].payload), "v1");
  }
}

// The newcomer hears what comes, not what was; a push/pull brings what a rumor missed.
TEST(Agent, EventsFromBeforeAJoinAreNotTold) {
  Agents a;
  start_serf_cluster(a);
  ASSERT_TRUE(a[1].event(a.now(), "old", {}, true));
  a.settle(1);
  a.run(20s);
  const std::size_t late = a.add(with(App::kSerf));
  a.join(late, 0);
  a.run(60s);
  EXPECT_TRUE(a.told<serf::EventArrived>(late).empty());
}

TEST(Agent, AQueryIsAcknowledgedByAllThatItIsFor) {
  Agents a;
  start_serf_cluster(a);
  const auto all = a[0].query(a.now(), "uptime", {}, {});
  const auto one = a[0].query(a.now(), "load", {}, {.names = {"n2"}, .tags = {}});
  const auto tagged = a[0].query(a.now(), "t", {}, {.names = {}, .tags = {{"n", "^[12]$"}}});
  ASSERT_TRUE(all && one && tagged);
  a.settle(0);
  a.run(5s);
  std::map<serf::QueryNumber, std::set<std::string>> acks;
  for (const auto& ack : a.told<serf::QueryAck>(0)) acks[ack.query].insert(ack.from);
  EXPECT_EQ(acks[*all], (std::set<std::string>{"n0", "n1", "n2"}));
  EXPECT_EQ(acks[*one], (std::set<std::string>{"n2"}));
  EXPECT_EQ(acks[*tagged], (std::set<std::string>{"n1", "n2"}));
  EXPECT_EQ(a.told<serf::QueryDone>(0).size(), 3u);
  EXPECT_EQ(a.told<serf::QueryArrived>(1).size(), 2u);
}

TEST(Agent, AKeyChangesInTheWholeClusterWithoutAnOutage) {
  const ByteVector old_key(32, std::byte{1});
  const ByteVector new_key(32, std::byte{2});
  Agents a;
  start_serf_cluster(a, old_key);
  for (const auto op : {serf::KeyOp::kInstall, serf::KeyOp::kUse}) {
    ASSERT_TRUE(a[0].key_query(a.now(), op, new_key));
    a.settle(0);
    a.run(4s);
  }
  ASSERT_TRUE(a[1].key_query(a.now(), serf::KeyOp::kRemove, old_key));
  a.settle(1);
  a.run(4s);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(a[i].keys().size(), 1u) << i;
    EXPECT_TRUE(equal(a[i].keys().key(0), new_key)) << i;
    EXPECT_EQ(a.told<serf::KeyChanged>(i).size(), 3u) << i;
    EXPECT_EQ(a[i].swim().alive_count(), 3u) << i;
  }
  EXPECT_EQ(a.told<serf::QueryAnswer>(1).size(), 3u);
}

TEST(Agent, AcksCarryCoordinatesAmongSerfs) {
  Agents a;
  start_serf_cluster(a);
  a.run(60s);
  EXPECT_LT(a[0].serf_layer().coordinate().error, 1.5);
}

TEST(Agent, TagsReplaceRawMetadata) {
  Agents a;
  AgentConfig config = with(App::kNone);
  config.meta = to_vector(bytes_of("text"));
  a.add(config);
  EXPECT_EQ(text_of(a[0].member("n0")->meta), "text");
  ASSERT_TRUE(a[0].set_tags(a.now(), {{"k", "v"}}));
  EXPECT_EQ(serf::decode_tags(a[0].member("n0")->meta), (serf::Tags{{"k", "v"}}));
  EXPECT_FALSE(a[0].set_tags(a.now(), {{"k", std::string(600, 'x')}}));
  EXPECT_EQ(a[0].tags(), (serf::Tags{{"k", "v"}}));
}

// pekonode's Stop and Start.
TEST(Agent, WithoutHeartbeatsAMemberFailsAndStillHears) {
  Agents a;
  start_serf_cluster(a);
  a[2].set_heartbeats(a.now(), false);
  a.settle(2);
  a.run(60s);
  EXPECT_EQ(a.state(0, 2), State::kDead);
  ASSERT_TRUE(a[2].event(a.now(), "from the silent one", {}, true));
  a.settle(2);
  a.run(2s);
  EXPECT_EQ(a.told<serf::EventArrived>(0).size(), 1u);
  a[2].set_heartbeats(a.now(), true);
  a.settle(2);
  a.run(10s);
  EXPECT_EQ(a.state(0, 2), State::kAlive);
  EXPECT_EQ(a.state(1, 2), State::kAlive);
}

TEST(Agent, RawMessagesPassUnderNone) {
  Agents a;
  a.add(with(App::kNone));
  a.add(with(App::kNone));
  a.join(1, 0);
  a.run(2s);
  ASSERT_TRUE(a[0].broadcast(a.now(), bytes_of("rumor")));
  ASSERT_TRUE(a[0].send_best_effort(a.now(), "n1", bytes_of("datagram")));
  ASSERT_TRUE(a[0].send_reliable(a.now(), "n1", bytes_of("stream")));
  a.settle(0);
  a.run(2s);
  std::multiset<std::string> heard;
  for (const auto& message : a.told<UserMessage>(1)) heard.emplace(text_of(message.bytes));
  EXPECT_TRUE(heard.contains("rumor") && heard.contains("datagram") && heard.contains("stream"));
}

}  // namespace
}  // namespace ginnel::swim
