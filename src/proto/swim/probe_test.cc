// One member under test; the test plays all others.
#include <gtest/gtest.h>

#include "proto/swim/swim.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim {
namespace {

Endpoint member_at(std::uint8_t last) { return {Address::v4(10, 0, 0, last), kDefaultPort}; }

// What m2 sends to have m3 pinged.
ByteVector ask_to_ping(std::uint32_t seq, bool nack = true) {
  return encode(
      IndirectPing{SequenceNumber(seq), member_at(3), "m3", nack, member_at(2), "m2"});
}

struct Sent {
  Endpoint to;
  bool crc = false;
  std::size_t size = 0;  // of the datagram
  std::vector<std::pair<MessageType, ByteVector>> messages;
  const ByteVector* find(MessageType type) const {
    for (const auto& [t, body] : messages) {
      if (t == type) return &body;
    }
    return nullptr;
  }
  void on_message(MessageType type, ConstBytes body) {
    messages.emplace_back(type, to_vector(body));
  }
  void on_drop(Drop) { FAIL(); }
};

class ProbeTest : public ::testing::Test {
 protected:
  explicit ProbeTest(Config c = Config::lan()) : config(std::move(c)) {
    config.name = "me";
    config.advertise = member_at(1);
    config.push_pull_interval = 0ns;
    config.reconnect_interval = 0ns;
  }
  // Starts, with others m2, m3, ... and all gossip about them gone.
  void start(std::uint8_t others, const Vsn& vsn = Vsn(), std::uint64_t seed = 9) {
    swim = std::make_unique<Swim>(config, Rng::from_seed(seed));
    swim->start(now);
    for (std::uint8_t i = 2; i < 2 + others; ++i) {
      const std::string name = "m" + std::to_string(i);
      receive(encode(Alive{Incarnation(1), name, member_at(i), {}, vsn}), member_at(i));
    }
    run(20ms);
  }
  void receive(ByteVector message, const Endpoint& from) {
    swim->handle_datagram(now, kSocket, from, message);
    collect();
  }
  void collect() {
    ByteVector buffer(70'000), scratch;
    while (const auto t = swim->poll_transmit(now, buffer)) {
      const ConstBytes bytes = ConstBytes(buffer).first(t->size);
      sent.push_back({t->to, bytes[0] == std::byte{12}, t->size, {}});
      Unfolder(sent.back()).unfold(*swim->framer().open_datagram(bytes, scratch));
    }
    while (auto event = swim->poll_event()) events.push_back(*std::move(event));
  }
  void step() {
    now = std::max(now, *swim->next_timeout());
    swim->handle_timeout(now);
    collect();
  }
  void run(Nanoseconds duration) {
    const Instant end = now + duration;
    while (swim->next_timeout() && *swim->next_timeout() <= end) step();
    now = end;
  }
  // The next ping of a probe round that was not looked at yet, and to whom it went.
  std::pair<Ping, Endpoint> next_ping() {
    for (int i = 0; i < 1000; ++i) {
      for (const Sent& s : sent) {
        if (const ByteVector* ping = s.find(MessageType::kPing)) {
          last_ping = *ping;
          const Endpoint to = s.to;
          sent.clear();
          return {*Ping::parse(last_ping), to};
        }
      }
      sent.clear();
      step();
    }
    ADD_FAILURE() << "no ping";
    return {};
  }
  std::size_t sent_count(MessageType type) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(sent, [&](const Sent& s) { return s.find(type) != nullptr; }));
  }
  template <class E>
  std::vector<E> events_of() const {
    std::vector<E> out;
    for (const Event& event : events) {
      if (const E* e = std::get_if<E>(&event)) out.push_back(*e);
    }
    return out;
  }

  Config config;
  Instant now;
  std::unique_ptr<Swim> swim;
  std::vector<Sent> sent;
  std::vector<Event> events;
  ByteVector last_ping;
};

TEST_F(ProbeTest, APingNamesItsTargetAndWhereToAnswer) {
  start(1);
  const auto [ping, to] = next_ping();
  EXPECT_EQ(to, member_at(2));
  EXPECT_EQ(ping.node, "m2");
  EXPECT_EQ(ping.source, member_at(1));
  EXPECT_EQ(ping.source_node, "me");
}

TEST_F(ProbeTest, EachMemberIsProbedOnceARound) {
  start(5);
  std::set<Endpoint> seen;
  for (int i = 0; i < 5; ++i) {
    const auto [ping, to] = next_ping();
    seen.insert(to);
    receive(encode(Ack{ping.seq, {}}), to);
  }
  EXPECT_EQ(seen.size(), 5u);
}

TEST_F(ProbeTest, WithoutAnAckOthersAreAskedAndTheMemberIsDialled) {
  start(6);
  const auto [ping, to] = next_ping();
  const auto silent = to;
  sent.clear();
  events.clear();
  run(501ms);
  EXPECT_EQ(sent_count(MessageType::kIndirectPing), 3u);
  for (const Sent& s : sent) {
    const ByteVector* body = s.find(MessageType::kIndirectPing);
    if (body == nullptr) continue;
    const auto indirect = IndirectPing::parse(*body);
    EXPECT_EQ(indirect->target, silent);
    EXPECT_EQ(indirect->seq, ping.seq);
    EXPECT_TRUE(indirect->nack);
    EXPECT_NE(s.to, silent);
  }
  ASSERT_EQ(events_of<StreamOpen>().size(), 1u);
  EXPECT_EQ(events_of<StreamOpen>()[0].to, silent);
}

TEST_F(ProbeTest, OldMembersAreNotDialledAndOwnNoNacks) {
  start(6, Vsn{1, 2, 2, 0, 0, 0});
  next_ping();
  sent.clear();
  run(501ms);
  EXPECT_TRUE(events_of<StreamOpen>().empty());
  for (const Sent& s : sent) {
    const ByteVector* body = s.find(MessageType::kIndirectPing);
    EXPECT_FALSE(body != nullptr && IndirectPing::parse(*body)->nack);
  }
}

TEST_F(ProbeTest, StreamPingsCanBeSwitchedOff) {
  config.disable_tcp_pings = true;
  start(3);
  next_ping();
  run(501ms);
  EXPECT_TRUE(events_of<StreamOpen>().empty());
}

TEST_F(ProbeTest, ALateAckWithinTheRoundIsSuccess) {
  start(3);
  const auto [ping, to] = next_ping();
  run(900ms);
  receive(encode(Ack{ping.seq, {}}), to);
  run(200ms);
  EXPECT_TRUE(events_of<Suspected>().empty());
}

TEST_F(ProbeTest, AnAckOnTheStreamIsSuccess) {
  start(1);
  const auto [ping, to] = next_ping();
  run(501ms);
  ByteVector answer;
  Rng rng = Rng::from_seed(1);
  Framer({}).seal_stream(encode(Ack{ping.seq, {}}), Framer::Side::kListener, 1, rng, answer);
  swim->handle_stream_data(now, events_of<StreamOpen>()[0].stream, answer);
  run(600ms);
  EXPECT_TRUE(events_of<Suspected>().empty());
  EXPECT_EQ(swim->health_score(), 0);
}

TEST_F(ProbeTest, WithNoAnswerTheMemberIsSuspectedInOurName) {
  start(1);
  next_ping();
  run(1001ms);
  ASSERT_EQ(events_of<Suspected>().size(), 1u);
  EXPECT_EQ(events_of<Suspected>()[0].by, "me");
  EXPECT_EQ(events_of<Suspected>()[0].member.reason, Reason::kOurProbeFailed);
  EXPECT_EQ(swim->health_score(), 1);
}

// Lifeguard: helpers that send a nack are proof that the fault is not ours.
TEST_F(ProbeTest, NacksKeepOurHealthAndMissingOnesCost) {
  start(6);
  const auto [ping, to] = next_ping();
  run(501ms);
  for (std::uint8_t i = 3; i < 6; ++i) receive(encode(Nack{ping.seq}), member_at(i));
  run(500ms);
  EXPECT_EQ(swim->health_score(), 0);
  const auto [second, to2] = next_ping();
  run(501ms);
  receive(encode(Nack{second.seq}), member_at(3));
  run(500ms);
  EXPECT_EQ(swim->health_score(), 2);
}

TEST_F(ProbeTest, PoorHealthStretchesTheRound) {
  start(1);
  next_ping();
  run(1001ms);
  ASSERT_EQ(swim->health_score(), 1);
  // Refuted, but still silent: this round lasts two intervals.
  next_ping();
  const Instant begin = now;
  receive(encode(Alive{Incarnation(2), "m2", member_at(2), {}, Vsn()}), member_at(2));
  events.clear();
  run(begin + 1900ms - now);
  EXPECT_TRUE(events_of<Suspected>().empty());
  run(begin + 2001ms - now);
  EXPECT_EQ(events_of<Suspected>().size(), 1u);
}

TEST_F(ProbeTest, AnAnsweredProbeImprovesOurHealth) {
  start(1);
  next_ping();
  run(1001ms);
  ASSERT_EQ(swim->health_score(), 1);
  const auto [ping, to] = next_ping();
  receive(encode(Ack{ping.seq, {}}), to);
  EXPECT_EQ(swim->health_score(), 0);
}

// memberlist: without a nack that could be missed, a failed probe costs one.
TEST_F(ProbeTest, HelpersThatKnowNoNackLeaveAFailedProbeAtACostOfOne) {
  start(6, Vsn{1, 2, 2, 0, 0, 0});
  next_ping();
  run(1001ms);
  EXPECT_EQ(swim->health_score(), 1);
}

// Lifeguard section IV-C.
TEST_F(ProbeTest, ASuspectHearsOfItWithItsNextPing) {
  start(1);
  receive(encode(Suspect{Incarnation(1), "m2", "x"}), member_at(9));
  run(20ms);
  for (int i = 0; i < 1000; ++i) {
    sent.clear();
    step();
    if (sent.empty() || sent[0].find(MessageType::kPing) == nullptr) continue;
    const ByteVector* suspect = sent[0].find(MessageType::kSuspect);
    ASSERT_NE(suspect, nullptr);
    EXPECT_EQ(Suspect::parse(*suspect)->node, "m2");
    EXPECT_EQ(sent[0].messages.size(), 2u) << "with no other broadcasts";
    EXPECT_TRUE(sent[0].crc);
    return;
  }
  FAIL() << "no ping";
}

TEST_F(ProbeTest, APingForAnotherNameIsNotAnswered) {
  start(1);
  sent.clear();
  receive(encode(Ping{SequenceNumber(5), "other", member_at(2), "m2"}), member_at(2));
  EXPECT_EQ(sent_count(MessageType::kAck), 0u);
  EXPECT_EQ(swim->dropped(Drop::kNotForUs), 1u);
  receive(encode(Ping{SequenceNumber(5), "me", member_at(2), "m2"}), member_at(2));
  receive(encode(Ping{SequenceNumber(6), "", {}, ""}), member_at(7));
  EXPECT_EQ(sent_count(MessageType::kAck), 2u);
  EXPECT_EQ(sent.back().to, member_at(7));
}

// memberlist sends it only to the advertised address, which behind a NAT reaches nobody.
TEST_F(ProbeTest, APingFromElsewhereThanItSaysIsAnsweredThereToo) {
  start(1);
  sent.clear();
  receive(encode(Ping{SequenceNumber(5), "me", member_at(2), "m2"}), member_at(99));
  ASSERT_EQ(sent_count(MessageType::kAck), 2u);
  EXPECT_EQ(sent[0].to, member_at(2));
  EXPECT_EQ(sent[1].to, member_at(99));
}

TEST_F(ProbeTest, AnIndirectPingIsRelayedUnderOurOwnNumber) {
  start(2);
  sent.clear();
  receive(ask_to_ping(77), member_at(2));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, member_at(3));
  const auto ping = Ping::parse(*sent[0].find(MessageType::kPing));
  EXPECT_EQ(ping->source, member_at(1));
  const SequenceNumber ours = ping->seq;
  sent.clear();
  receive(encode(Ack{ours, bytes_of("payload")}), member_at(3));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, member_at(2));
  const auto ack = Ack::parse(*sent[0].find(MessageType::kAck));
  EXPECT_EQ(ack->seq, SequenceNumber(77));
  EXPECT_EQ(ack->payload.data(), nullptr);
}

TEST_F(ProbeTest, AnIndirectPingWithoutAnswerEndsInANack) {
  start(2);
  sent.clear();
  receive(ask_to_ping(77), member_at(2));
  run(501ms);
  ASSERT_EQ(sent_count(MessageType::kNack), 1u);
  // Asked by an old member: silence.
  sent.clear();
  receive(ask_to_ping(78, false), member_at(2));
  run(501ms);
  EXPECT_EQ(sent_count(MessageType::kNack), 0u);
}

// The asker has taken the nack for an answer.
TEST_F(ProbeTest, AnAckAfterTheNackIsNotRelayed) {
  start(2);
  sent.clear();
  receive(ask_to_ping(77), member_at(2));
  const SequenceNumber ours = Ping::parse(*sent.at(0).find(MessageType::kPing))->seq;
  run(501ms);
  ASSERT_EQ(sent_count(MessageType::kNack), 1u);
  receive(encode(Ack{ours, {}}), member_at(3));
  EXPECT_EQ(sent_count(MessageType::kAck), 0u);
  EXPECT_EQ(swim->dropped(Drop::kUnmatched), 1u);
}

TEST_F(ProbeTest, APingOfTheApplicationTellsTheRoundTripOrThatNobodyAnswered) {
  start(1);
  sent.clear();
  ASSERT_TRUE(swim->ping(now, "m2"));
  collect();
  const SequenceNumber seq = Ping::parse(*sent.at(0).find(MessageType::kPing))->seq;
  now = now + 30ms;
  receive(encode(Ack{seq, {}}), member_at(2));
  ASSERT_EQ(events_of<PingDone>().size(), 1u);
  EXPECT_EQ(events_of<PingDone>()[0].round_trip, 30ms);
  ASSERT_TRUE(swim->ping(now, "m2"));
  run(501ms);
  ASSERT_EQ(events_of<PingDone>().size(), 2u);
  EXPECT_EQ(events_of<PingDone>()[1].round_trip, std::nullopt);
  EXPECT_EQ(swim->ping(now, "nobody").error(), Drop::kUnknownMember);
}

TEST_F(ProbeTest, EachPingHasANumberOfItsOwn) {
  start(3);
  std::set<SequenceNumber> seen;
  for (int i = 0; i < 20; ++i) {
    const auto [ping, to] = next_ping();
    EXPECT_TRUE(seen.insert(ping.seq).second);
    receive(encode(Ack{ping.seq, {}}), to);
  }
}

// memberlist schedule(): so that members started together do not probe together.
TEST_F(ProbeTest, TheFirstProbeComesAtARandomPointOfTheInterval) {
  std::set<Nanoseconds> waits;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Instant begin = now;
    start(1, Vsn(), seed);
    next_ping();
    waits.insert(now - begin);
  }
  EXPECT_LE(*waits.rbegin(), 1001ms);
  EXPECT_GT(*waits.rbegin() - *waits.begin(), 500ms);
}

TEST_F(ProbeTest, BroadcastsRideOnPingsAndAcks) {
  start(1);
  run(5s);
  sent.clear();
  ASSERT_TRUE(swim->broadcast(now, "", bytes_of("rumor")));
  receive(encode(Ping{SequenceNumber(5), "me", member_at(2), "m2"}), member_at(2));
  ASSERT_TRUE(swim->ping(now, "m2"));
  collect();
  ASSERT_EQ(sent.size(), 2u);
  for (const Sent& s : sent) EXPECT_NE(s.find(MessageType::kUser), nullptr);
}

TEST_F(ProbeTest, LabelAndEncryptionAreTakenOffTheRoomOfAPacket) {
  config.frame.label = std::string(kLabelBytesMax, 'l');
  config.frame.compress = false;
  start(0);
  ByteVector alive;
  Rng rng = Rng::from_seed(1);
  swim->framer().seal_datagram(encode(Alive{Incarnation(1), "m2", member_at(2), {}, Vsn()}), {},
                               rng, alive);
  receive(alive, member_at(2));
  sent.clear();
  swim->framer().keys().install(*crypto::AesKey::from(ByteVector(32))).value();
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(swim->broadcast(now, "", ByteVector(95, static_cast<std::byte>(i))));
  }
  run(1s);
  ASSERT_GE(sent_count(MessageType::kUser), 4u);
  std::size_t largest = 0;
  for (const Sent& s : sent) largest = std::max(largest, s.size);
  EXPECT_LE(largest, config.udp_buffer_bytes);
  EXPECT_GT(largest, config.udp_buffer_bytes - 150);
}

// Older versions of memberlist wrapped the count and lost all but a few.
TEST_F(ProbeTest, NoPacketHoldsMoreThan255Messages) {
  config.udp_buffer_bytes = 65'000;
  start(1);
  run(5s);
  sent.clear();
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(swim->broadcast(now, "", ByteVector(8, static_cast<std::byte>(i))));
  }
  run(401ms);
  ASSERT_FALSE(sent.empty());
  for (const Sent& s : sent) EXPECT_LE(s.messages.size(), 255u);
  EXPECT_GT(sent.at(0).messages.size(), 200u);
}

TEST_F(ProbeTest, GossipHasAChecksumOnlyForThoseWhoKnowIt) {
  start(2, Vsn{1, 4, 2, 0, 0, 0});
  sent.clear();
  ASSERT_TRUE(swim->broadcast(now, "", bytes_of("hello")));
  run(250ms);
  ASSERT_GE(sent_count(MessageType::kUser), 1u);
  for (const Sent& s : sent) EXPECT_FALSE(s.crc);
}

TEST_F(ProbeTest, TheRecentlyDeadAreGossipedToAndTheLeftAreNot) {
  start(2);
  receive(encode(Dead{Incarnation(1), "m2", "x"}), member_at(9));
  receive(encode(Dead{Incarnation(1), "m3", "m3"}), member_at(9));
  sent.clear();
  run(2s);
  std::set<Endpoint> to;
  for (const Sent& s : sent) to.insert(s.to);
  EXPECT_TRUE(to.contains(member_at(2)));
  EXPECT_FALSE(to.contains(member_at(3)));
}

TEST_F(ProbeTest, RumorsHaveTheirShareWhileMembershipIsBusy) {
  start(3);
  run(5s);
  for (int i = 0; i < 400; ++i) {
    const std::string name = "busy" + std::to_string(i);
    ByteVector bytes = encode(Alive{Incarnation(1), name, member_at(3), {}, Vsn()});
    swim->handle_datagram(now, kSocket, member_at(2), bytes);
  }
  ASSERT_TRUE(swim->broadcast(now, "", ByteVector(1000, std::byte{'r'})));
  collect();
  sent.clear();
  run(401ms);
  EXPECT_GE(sent_count(MessageType::kUser), 1u);
}

// A name that moved says so itself; the old address is asked first.
TEST_F(ProbeTest, AMovedNameIsBelievedWhenItsOldAddressIsSilent) {
  start(1);
  receive(encode(Alive{Incarnation(2), "m2", member_at(50), {}, Vsn()}), member_at(50));
  EXPECT_EQ(swim->member("m2")->endpoint, member_at(2));
  run(501ms);
  EXPECT_EQ(swim->member("m2")->endpoint, member_at(50));
}

TEST_F(ProbeTest, AnImpostorIsAConflictWhenTheOldAddressAnswers) {
  start(1);
  run(5s);  // past other rounds
  sent.clear();
  events.clear();
  receive(encode(Alive{Incarnation(9), "m2", member_at(50), {}, Vsn()}), member_at(50));
  ASSERT_FALSE(sent.empty());
  const auto ping = Ping::parse(*sent.back().find(MessageType::kPing));
  ASSERT_TRUE(ping);
  receive(encode(Ack{ping->seq, {}}), member_at(2));
  run(501ms);
  EXPECT_EQ(swim->member("m2")->endpoint, member_at(2));
  ASSERT_EQ(events_of<Conflict>().size(), 1u);
  EXPECT_EQ(events_of<Conflict>()[0].other, member_at(50));
}

// memberlist's TestMemberlist_FailedRemote: the connection is refused.
TEST_F(ProbeTest, AJoinWhoseConnectionIsRefusedFailsAtOnce) {
  start(0);
  swim->join(now, member_at(7));
  collect();
  ASSERT_EQ(events_of<StreamOpen>().size(), 1u);
  swim->handle_stream_closed(now, events_of<StreamOpen>()[0].stream, StreamEnd::kFailed);
  collect();
  ASSERT_EQ(events_of<JoinFailed>().size(), 1u);
  EXPECT_EQ(events_of<JoinFailed>()[0].via, member_at(7));
  EXPECT_EQ(events_of<JoinFailed>()[0].error, JoinError::kUnreachable);
}

TEST_F(ProbeTest, AnsweringNothingWeAskedIsCounted) {
  start(1);
  receive(encode(Ack{SequenceNumber(12345), {}}), member_at(2));
  receive(encode(Nack{SequenceNumber(12345)}), member_at(2));
  EXPECT_EQ(swim->dropped(Drop::kUnmatched), 2u);
}

}  // namespace
}  // namespace ginnel::swim
