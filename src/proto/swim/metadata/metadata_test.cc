// Whole members (Agent) with App::kGinnel, in virtual time.
#include "proto/swim/metadata/metadata.h"

#include <gtest/gtest.h>

#include "proto/swim/metadata/limits.h"
#include "proto/swim/testing/agents.h"

namespace ginnel::swim::metadata {
namespace {

using swim::testing::Agents;

AgentConfig ours(std::optional<App> app = App::kGinnel) {
  AgentConfig out;
  out.app = app;
  return out;
}

void start_cluster(Agents& a, std::size_t members) {
  for (std::size_t i = 0; i < members; ++i) {
    a.add(ours());
    if (i > 0) a.join(i, 0);
  }
  a.run(5s);
}

Key key(std::string name) { return {.name = std::move(name)}; }

std::string value_at(Agents& a, std::size_t i, const Key& k) {
  const auto item = a[i].shared().get(k);
  return item ? std::string(text_of(item->value)) : "(none)";
}

void put(Agents& a, std::size_t i, const Key& k, std::string_view value) {
  ASSERT_TRUE(a[i].put(a.now(), k, bytes_of(value)));
  a.settle(i);
}

TEST(Metadata, AChangeIsEverywhereWithinTwoSeconds) {
  Agents a;
  start_cluster(a, 8);
  put(a, 3, key("k"), "v");
  a.run(2s);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(value_at(a, i, key("k")), "v") << i;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto changes = a.told<Changed>(i);
    ASSERT_EQ(changes.size(), 1u) << i;
    EXPECT_EQ(changes[0].key, key("k"));
    EXPECT_EQ(changes[0].version.writer, "n3");
  }
}

TEST(Metadata, ADeletionIsEverywhereToo) {
  Agents a;
  start_cluster(a, 3);
  put(a, 0, key("k"), "v");
  a.run(2s);
  ASSERT_TRUE(a[1].erase(a.now(), key("k")));
  a.settle(1);
  a.run(2s);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(value_at(a, i, key("k")), "(none)");
  EXPECT_EQ(a[1].erase(a.now(), key("k")).error(), Refusal::kUnknownKey);
}

TEST(Metadata, ANewcomerHasEverythingAfterOneExchange) {
  Agents a;
  start_cluster(a, 2);
  for (int i = 0; i < 3000; ++i) put(a, 0, key("key " + std::to_string(i)), std::string(100, 'v'));
  put(a, 1, {.space = Space::kPublished}, "blob");
  a.run(60s);
  const std::size_t late = a.add(ours());
  a.join(late, 1);
  a.run(100ms);
  EXPECT_EQ(a[late].shared().store().size(), 3001u);
  EXPECT_TRUE(a[late].shared().is_caught_up());
  EXPECT_EQ(value_at(a, late, {.space = Space::kPublished}), "blob");
}

// More than one answer holds (kAnswerBytesMax).
TEST(Metadata, ALargeTableComesInSeveralExchangesAtOnce) {
  Agents a;
  start_cluster(a, 1);
  for (int i = 0; i < 30; ++i) {
    put(a, 0, key("big " + std::to_string(i)), std::string(kValueBytesMax, 'v'));
  }
  const std::size_t late = a.add(ours());
  a.join(late, 0);
  a.run(1s);
  EXPECT_EQ(a[late].shared().store().size(), 30u);
  EXPECT_EQ(a[late].shared().store().root(), a[0].shared().store().root());
}

TEST(Metadata, TwoHalvesThatMeetEachGetWhatTheOtherHas) {
  Agents a;
  start_cluster(a, 2);
  a.add(ours());
  put(a, 0, key("both"), "older");
  put(a, 0, key("left"), "l");
  a.run(1s);
  put(a, 2, key("both"), "newer");
  put(a, 2, key("right"), "r");
  a.join(2, 0);
  a.run(30s);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(value_at(a, i, key("both")), "newer") << i;
    EXPECT_EQ(value_at(a, i, key("left")), "l") << i;
    EXPECT_EQ(value_at(a, i, key("right")), "r") << i;
  }
}

TEST(Metadata, AValueThatFitsIntoNoPacketIsFetched) {
  Agents a;
  start_cluster(a, 5);
  const std::string big(kValueBytesMax, 'v');
  put(a, 0, key("big"), big);
  a.run(3s);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(value_at(a, i, key("big")), big) << i;
  EXPECT_EQ(a[0].put(a.now(), key("big"), bytes_of(big + "v")).error(), Refusal::kTooLarge);
}

TEST(Metadata, PutIfSeenComparesWithWhatThisMemberHolds) {
  Agents a;
  start_cluster(a, 1);
  const auto first = a[0].put(a.now(), key("k"), bytes_of("1"), Version{});
  ASSERT_TRUE(first);
  EXPECT_EQ(a[0].put(a.now(), key("k"), bytes_of("2"), Version{}).error(), Refusal::kChanged);
  const auto second = a[0].put(a.now(), key("k"), bytes_of("2"), *first);
  ASSERT_TRUE(second);
  EXPECT_GT(*second, *first);
  EXPECT_EQ(a[0].erase(a.now(), key("k"), *first).error(), Refusal::kChanged);
  ASSERT_TRUE(a[0].erase(a.now(), key("k"), *second));
  EXPECT_TRUE(a[0].put(a.now(), key("k"), bytes_of("3"), Version{})) << "deleted is as if never";
}

TEST(Metadata, NobodyWritesForAnotherMember) {
  Agents a;
  start_cluster(a, 2);
  EXPECT_EQ(a[0].put(a.now(), a[1].own_key("private"), {}).error(), Refusal::kMalformed);
  ASSERT_TRUE(a[1].put(a.now(), a[1].own_key("private"), bytes_of("mine")));
  a.settle(1);
  a.run(2s);
  EXPECT_EQ(value_at(a, 0, a[1].own_key("private")), "mine");
}

TEST(Metadata, OwnRowsOutliveTheirTimeWhileTheirOwnerIsThere) {
  Agents a;
  start_cluster(a, 2);
  Wall wall{a.now().ns};
  const auto pass = [&](Nanoseconds time) {  // for the wall clocks alone; then an exchange
    wall = wall + time;
    for (std::size_t i = 0; i < 2; ++i) a[i].set_clock(a.now(), wall);
    a.run(kExchangeInterval * 2);
  };
  put(a, 0, a[0].own_key("private"), "mine");
  for (int i = 0; i < 4; ++i) pass(kRenewTime + 1s);
  EXPECT_EQ(value_at(a, 1, a[0].own_key("private")), "mine");
  a.kill(0);
  pass(kAgingTime + 1s);
  EXPECT_EQ(value_at(a, 1, a[0].own_key("private")), "(none)");
}

TEST(Metadata, OwnRowsOfAnEarlierLifeGo) {
  Agents a;
  start_cluster(a, 2);
  const Key mine = a[0].own_key("private");
  put(a, 0, mine, "before");
  a.run(2s);
  a.kill(0);
  a.run(1s);
  AgentConfig again = ours();
  again.swim.name = "n0";
  again.swim.advertise = Agents::endpoint_of(0);
  const std::size_t reborn = a.add(again);
  a.join(reborn, 1);
  a.run(30s);
  EXPECT_EQ(value_at(a, reborn, mine), "(none)");
  EXPECT_EQ(value_at(a, 1, mine), "(none)");
}

TEST(Metadata, AVersionFromTheFutureIsRefusedAndCounted) {
  Agents a;
  start_cluster(a, 2);
  const std::string wire = key("k").wire();
  const auto far = static_cast<std::uint64_t>((a.now() + kSkewMax + 10s).ns);
  for (const ByteVector& body : {encode(Rumor{{wire, far, "x", false, bytes_of("v")}}),
                                 encode(Announce{{wire, far, "x", false, {}}, "n1"})}) {
    ByteVector datagram{static_cast<std::byte>(MessageType::kUser)};
    datagram.insert(datagram.end(), body.begin(), body.end());
    a[0].handle_datagram(a.now(), kSocket, Agents::endpoint_of(1), datagram);
  }
  EXPECT_EQ(a[0].shared().refused(Merge::kAhead), 2u);
  EXPECT_EQ(a[0].shared().store().size(), 0u);
}

TEST(Metadata, TagsBeyondMemberlistsLimitArriveAsRows) {
  Agents a;
  AgentConfig config = ours();
  config.tags = {{"long", std::string(2000, 'x')}, {"role", "web"}};
  a.add(config);
  a.add(ours());
  a.join(1, 0);
  a.run(2s);
  const auto row = a[1].member("n0");
  ASSERT_TRUE(row);
  EXPECT_EQ(serf::decode_tags(row->meta), (serf::Tags{{"role", "web"}}));
  EXPECT_EQ(a[1].tags_of(*row), config.tags);
  ASSERT_TRUE(a[0].set_tags(a.now(), {{"role", "db"}}));
  a.settle(0);
  a.run(2s);
  EXPECT_EQ(a[1].tags_of(*a[1].member("n0")), (serf::Tags{{"role", "db"}}));
}

TEST(Metadata, WhoeverIsOpenAdoptsTheApplicationOfTheCluster) {
  Agents a;
  start_cluster(a, 2);
  put(a, 0, key("k"), "v");
  const std::size_t late = a.add(ours(std::nullopt));
  a.join(late, 0);
  a.run(5s);
  EXPECT_EQ(a[late].app(), App::kGinnel);
  EXPECT_EQ(value_at(a, late, key("k")), "v");
}

TEST(Metadata, MembersOfOtherApplicationsStayOutside) {
  Agents a;
  start_cluster(a, 1);
  for (const App app : {App::kSerf, App::kNone}) {
    const std::size_t other = a.add(ours(app));
    a.join(other, 0);
    a.run(2s);
    ASSERT_EQ(a.told<JoinFailed>(other).size(), 1u);
    EXPECT_EQ(a.told<JoinFailed>(other)[0].error, JoinError::kVersions);
  }
}

TEST(Metadata, EventsAndUserMessagesGoOnBesideIt) {
  Agents a;
  start_cluster(a, 2);
  ASSERT_TRUE(a[0].event(a.now(), "deploy", bytes_of("v1"), true));
  ASSERT_TRUE(a[0].send_best_effort(a.now(), "n1", bytes_of("g raw")));
  ASSERT_TRUE(a[0].send_reliable(a.now(), "n1", bytes_of("u raw")));
  a.settle(0);
  a.run(2s);
  EXPECT_EQ(a.told<serf::EventArrived>(1).size(), 1u);
  std::multiset<std::string> heard;
  for (const auto& message : a.told<UserMessage>(1)) heard.emplace(text_of(message.bytes));
  EXPECT_EQ(heard, (std::multiset<std::string>{"g raw", "u raw"}));
}

}  // namespace
}  // namespace ginnel::swim::metadata
