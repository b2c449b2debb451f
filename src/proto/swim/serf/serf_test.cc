// Serf's messages and small parts. Whole members: ../agent_test.cc.
#include "proto/swim/serf/serf.h"

#include <gtest/gtest.h>

#include "proto/swim/serf/pattern.h"
#include "proto/swim/serf/user_state.h"
#include "proto/swim/testing/vectors.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim::serf {
namespace {

struct Collected {
  std::vector<ByteVector> messages;  // without memberlist's type byte
  void on_message(MessageType, ConstBytes body) { messages.push_back(to_vector(body)); }
  void on_drop(Drop) {}
};

std::vector<ByteVector> bodies_of(ConstBytes datagram) {
  Framer framer({});
  ByteVector scratch;
  Collected out;
  Unfolder(out).unfold(*framer.open_datagram(datagram, scratch));
  return out.messages;
}

class SerfVector : public ::testing::Test {
 protected:
  swim::testing::Vectors vectors;
};

TEST_F(SerfVector, AJoinIntentOfARealAgentBothWays) {
  const ByteVector message = bodies_of(vectors["10"])[0];
  const auto intent = JoinIntent::parse(ConstBytes(message).subspan(1));
  ASSERT_TRUE(intent);
  EXPECT_EQ(intent->node, "s3");
  EXPECT_EQ(intent->ltime, 2u);
  EXPECT_EQ(to_hex(encode(*intent)), to_hex(message));
}

// The vector was made by hand and accepted by a real agent.
TEST_F(SerfVector, AUserEventBothWays) {
  const auto message = parse_user(vectors["24"].subspan(1));
  ASSERT_TRUE(message);
  const auto event = UserEvent::parse(message->subspan(1));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "tcpevent");
  EXPECT_EQ(text_of(event->payload), "hi");
  EXPECT_EQ(event->ltime, 9u);
  EXPECT_FALSE(event->coalesce);
  EXPECT_EQ(to_hex(encode(*event)), to_hex(*message));
}

TEST_F(SerfVector, ACoordinateOfARealAgentBothWays) {
  const ByteVector body = bodies_of(vectors["2"])[0];
  const auto ack = Ack::parse(body);
  ASSERT_TRUE(ack);
  const auto coordinate = from_payload(ack->payload);
  ASSERT_TRUE(coordinate);
  EXPECT_EQ(coordinate->error, 1.5);
  EXPECT_EQ(coordinate->height, 10.0e-6);
  EXPECT_EQ(to_hex(to_payload(Coordinate())), to_hex(ack->payload));
}

TEST_F(SerfVector, TheUserStateOfARealAgentIsRead) {
  ByteVector key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
  Framer framer({});
  framer.keys().install(*crypto::AesKey::from(key)).value();
  StreamReader reader(Framer::Side::kListener);
  ASSERT_TRUE(*reader.feed(vectors["15"], framer));
  const auto remote = PushPullReader::parse(reader.body());
  ASSERT_TRUE(remote);
  const auto state = UserState::parse(remote->user_state());
  ASSERT_TRUE(state) << name_of(state.error());
  EXPECT_EQ(state->status_ltimes.size(), 1u);
  EXPECT_TRUE(state->events.empty());
  EXPECT_GE(state->event_ltime, 1u);
}

TEST(SerfWire, EveryTruncationIsTooShort) {
  const Query query{.ltime = 300, .id = 77, .source = *Endpoint::parse("10.0.0.1:7946"),
                    .source_node = "a", .filters = {bytes_of("x")}, .flags = kFlagAck,
                    .timeout = 3s, .name = "q", .payload = bytes_of("p")};
  const ByteVector message = encode(query);
  const auto read = Query::parse(ConstBytes(message).subspan(1));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_hex(encode(*read)), to_hex(message));
  for (std::size_t size = 1; size < message.size(); ++size) {
    const auto cut = Query::parse(ConstBytes(message).subspan(1, size - 1));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error(), Drop::kTooShort) << size;
  }
}

TEST(SerfWire, ATimeNearTheEndOfAllClocksIsMalformed) {
  const ByteVector message = encode(JoinIntent{kLtimeMax + 1, "a"});
  const auto intent = JoinIntent::parse(ConstBytes(message).subspan(1));
  ASSERT_FALSE(intent);
  EXPECT_EQ(intent.error(), Drop::kMalformed);
}

TEST(SerfWire, ARelayCarriesAWholeMessage) {
  ByteVector out;
  write(Relay{*Endpoint::parse("10.0.0.9:7946"), bytes_of("payload")}, out);
  const auto relay = Relay::parse(ConstBytes(out).subspan(1));
  ASSERT_TRUE(relay);
  EXPECT_EQ(relay->to.text(), "10.0.0.9:7946");
  EXPECT_EQ(text_of(relay->message), "payload");
}

TEST(UserState, ComesBackAsItWas) {
  UserState state{.ltime = 7, .event_ltime = 8, .query_ltime = 9,
                  .status_ltimes = {{"a", 3}, {"b", 4}}, .left_members = {"b"}, .events = {}};
  state.events.push_back({5, {{"deploy", to_vector(bytes_of("v1"))}}});
  const auto read = UserState::parse(encode(state));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_hex(encode(*read)), to_hex(encode(state)));
}

// The real agent sends its ring of 512 with nils in the empty places.
TEST(UserState, EmptyPlacesOfTheRingAreSkipped) {
  ByteVector bytes{std::byte{2}};
  MsgpackWriter w(bytes);
  w.map(1).key("Events").array(2).bytes({});
  w.map(2).key("LTime").number(4).key("Events").array(1);
  w.map(2).key("Name").text("e").key("Payload").bytes({});
  const auto read = UserState::parse(bytes);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->events.size(), 1u);
  EXPECT_EQ(read->events[0].events[0].name, "e");
}

TEST(Tags, AreSerfsMapOrTheRoleOfOld) {
  EXPECT_EQ(to_hex(encode_tags({})), "ff80");
  const Tags tags{{"role", "web"}, {"zone", "a"}};
  EXPECT_EQ(decode_tags(encode_tags(tags)), tags);
  EXPECT_FALSE(decode_tags(bytes_of("web")));
  EXPECT_EQ(tags_as_serf_shows_them(bytes_of("web")), (Tags{{"role", "web"}}));
}

TEST(EventBuffer, EachEventIsNewOnce) {
  EventBuffer buffer;
  const UserEvent event{3, "deploy", bytes_of("v1"), true};
  EXPECT_TRUE(buffer.add(event));
  EXPECT_FALSE(buffer.add(event));
  EXPECT_TRUE(buffer.add({3, "deploy", bytes_of("v2"), true}));
  EXPECT_EQ(buffer.clock().time(), 4u);
}

TEST(EventBuffer, WhatTheRingHasPassedCountsAsSeen) {
  EventBuffer buffer;
  EXPECT_TRUE(buffer.add({1000, "new", {}, true}));
  EXPECT_FALSE(buffer.add({400, "old", {}, true}));
  EXPECT_TRUE(buffer.add({600, "late", {}, true}));
}

TEST(EventBuffer, OneTimeHoldsABoundedNumber) {
  EventBuffer buffer;
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = std::to_string(i);
    if (buffer.add({5, name, {}, true})) ++taken;
  }
  EXPECT_EQ(taken, kPerTimeMax);
}

// serf.go handleNodeLeaveIntent: "If the message is old, then it is irrelevant".
TEST(Intents, OnlyNewerOnesCount) {
  Intents intents;
  EXPECT_TRUE(intents.apply(JoinIntent{5, "a"}));
  EXPECT_FALSE(intents.apply(LeaveIntent{5, "a"}));
  EXPECT_TRUE(intents.apply(LeaveIntent{6, "a"}));
  EXPECT_TRUE(intents.is_leaving("a"));
  EXPECT_TRUE(intents.apply(JoinIntent{7, "a"}));
  EXPECT_FALSE(intents.is_leaving("a"));
  EXPECT_EQ(intents.clock().time(), 8u);
}

TEST(Pattern, MatchesAnyPartUnlessAnchored) {
  const auto matches = [](std::string_view pattern, std::string_view text) {
    const auto parsed = Pattern::parse(pattern);
    EXPECT_TRUE(parsed) << pattern;
    return parsed && parsed->matches(text);
  };
  EXPECT_TRUE(matches("eb", "web-1"));
  EXPECT_FALSE(matches("^eb", "web-1"));
  EXPECT_TRUE(matches("^web-[0-9]+$", "web-17"));
  EXPECT_FALSE(matches("^web-[0-9]+$", "web-17b"));
  EXPECT_TRUE(matches("^(web|db)$", "db"));
  EXPECT_TRUE(matches("a.c", "xabcx"));
  EXPECT_TRUE(matches("^a*$", ""));
  EXPECT_TRUE(matches("^a?b+$", "bbb"));
  EXPECT_TRUE(matches("^[^a-c]\\d\\.$", "z7."));
  EXPECT_FALSE(matches("^[^a-c]$", "b"));
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
}
TEST(Pattern, WhatIsNotReadIsRefused) {
  for (const char* pattern : {"(", ")", "a{2}", "[a", "*", "(?i)a", "\\", "\\b", "[[:alpha:]]"}) {
    EXPECT_FALSE(Pattern::parse(pattern)) << pattern;
  }
  EXPECT_FALSE(Pattern::parse(std::string(Pattern::kBytesMax + 1, 'a')));
  EXPECT_FALSE(Pattern::parse(std::string(100, '(') + std::string(100, ')')));
}

TEST(Filter, NamesAndTagsMustFit) {
  const std::vector<std::string> names{"a", "b"};
  const Tags tags{{"role", "web"}};
  EXPECT_TRUE(holds(name_filter(names), "b", tags));
  EXPECT_FALSE(holds(name_filter(names), "c", tags));
  EXPECT_TRUE(holds(tag_filter("role", "^w"), "c", tags));
  EXPECT_FALSE(holds(tag_filter("zone", "x"), "c", tags));
  EXPECT_FALSE(holds(tag_filter("role", "("), "c", tags));
  EXPECT_FALSE(holds(bytes_of("\x07zzz"), "c", tags));
}

TEST(KeyQuery, ChangesTheRingAndSaysSo) {
  const ByteVector first(32, std::byte{1});
  const ByteVector second(16, std::byte{2});
  KeyRing ring;
  EXPECT_FALSE(apply(KeyOp::kInstall, first, ring).response.result);  // encryption is off
  ring.install(*crypto::AesKey::from(first)).value();
  EXPECT_FALSE(apply(KeyOp::kInstall, bytes_of("short"), ring).response.result);
  EXPECT_TRUE(apply(KeyOp::kInstall, second, ring).changed);
  EXPECT_FALSE(apply(KeyOp::kInstall, second, ring).changed);
  EXPECT_FALSE(apply(KeyOp::kRemove, first, ring).response.result);  // it is the primary
  EXPECT_TRUE(apply(KeyOp::kUse, second, ring).changed);
  EXPECT_EQ(apply(KeyOp::kList, {}, ring).response.keys.size(), 2u);
  EXPECT_TRUE(apply(KeyOp::kRemove, first, ring).changed);
  EXPECT_EQ(ring.size(), 1u);
}

// Two members with a round trip of 20 ms between them find places 20 ms apart.
TEST(Coordinates, ConvergeToTheMeasuredRoundTrip) {
  CoordinateClient a(Rng::from_seed(1));
  CoordinateClient b(Rng::from_seed(2));
  for (int i = 0; i < 400; ++i) {
    a.update("b", b.coordinate(), 20ms);
    b.update("a", a.coordinate(), 20ms);
  }
  EXPECT_NEAR(a.coordinate().distance_to(b.coordinate()), 0.020, 0.004);
  EXPECT_LT(a.coordinate().error, 0.5);
}
TEST(Coordinates, NonsenseChangesNothing) {
  CoordinateClient client(Rng::from_seed(1));
  client.update("b", Coordinate(), 11s);
  EXPECT_EQ(to_hex(to_payload(client.coordinate())), to_hex(to_payload(Coordinate())));
  Coordinate bad;
  bad.error = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(from_payload(to_payload(bad)));
  EXPECT_FALSE(from_payload(bytes_of("\x02")));
}

}  // namespace
}  // namespace ginnel::swim::serf
