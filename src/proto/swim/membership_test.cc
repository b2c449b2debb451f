// memberlist's own checklist for alive, suspect and dead (state_test.go), line by line.
#include "proto/swim/membership.h"

#include <gtest/gtest.h>

namespace ginnel::swim {
namespace {

Endpoint at(std::uint8_t last) { return {Address::v4(10, 0, 0, last), kDefaultPort}; }

class MembershipTest : public ::testing::Test {
 protected:
  MembershipTest() {
    config.name = "me";
    config.advertise = at(1);
    config.dead_node_reclaim_time = 30s;
    list.start(now);
    drain();
  }
  Alive alive(std::string_view name, std::uint32_t incarnation, std::uint8_t last = 2,
              std::string_view meta = "") {
    return {Incarnation(incarnation), name, at(last), bytes_of(meta), Vsn()};
  }
  void suspect(std::string_view name, std::uint32_t incarnation, std::string_view from = "x") {
    list.apply(now, Suspect{Incarnation(incarnation), name, from}, Reason::kGossip);
  }
  void dead(std::string_view name, std::uint32_t incarnation, std::string_view from = "x") {
    list.apply(now, Dead{Incarnation(incarnation), name, from});
  }
  State state(std::string_view name) { return list.table().find(name)->state; }
  std::uint32_t incarnation(std::string_view name) {
    return list.table().find(name)->incarnation.value();
  }
  // Nothing queued, no event.
  void drain() {
    while (queue.pop()) {
    }
    told.clear();
    std::vector<ByteVector> out;
    while (!list.broadcasts().empty()) list.broadcasts().take(60'000, 2, 1, out);
  }
  template <class E>
  std::size_t count() {
    return static_cast<std::size_t>(std::ranges::count_if(
        events(), [](const Event& e) { return std::holds_alternative<E>(e); }));
  }

  const std::vector<Event>& events() {
    while (auto event = queue.pop()) told.push_back(*std::move(event));
    return told;
  }

  Config config;
  EventQueue queue;
  std::vector<Event> told;
  Instant now;
  Membership list{config, Rng::from_seed(3), queue};
};

TEST_F(MembershipTest, ANewAliveMemberJoinsAndIsPassedOn) {
  list.apply(now, alive("a", 1));
  EXPECT_EQ(state("a"), State::kAlive);
  EXPECT_EQ(count<Joined>(), 1u);
  EXPECT_EQ(list.broadcasts().size(), 1u);
}

TEST_F(MembershipTest, TheSameAliveAgainChangesNothing) {
  list.apply(now, alive("a", 1));
  drain();
  list.apply(now, alive("a", 1));
  list.apply(now, alive("a", 0));
  EXPECT_TRUE(events().empty());
  EXPECT_TRUE(list.broadcasts().empty());
}

// SWIM section 4.2: only the member itself may raise its incarnation number.
TEST_F(MembershipTest, AliveWithSameIncarnationDoesNotRefuteSuspicion) {
  list.apply(now, alive("a", 1));
  suspect("a", 1);
  list.apply(now, alive("a", 1));
  EXPECT_EQ(state("a"), State::kSuspect);
  drain();
  list.apply(now, alive("a", 2));
  EXPECT_EQ(state("a"), State::kAlive);
  EXPECT_EQ(count<Cleared>(), 1u);
  EXPECT_EQ(list.next_timeout(), std::nullopt);
}

TEST_F(MembershipTest, AHigherIncarnationBringsNewMeta) {
  list.apply(now, alive("a", 1));
  drain();
  list.apply(now, alive("a", 2, 2, "meta"));
  EXPECT_EQ(count<Updated>(), 1u);
  EXPECT_EQ(count<Joined>(), 0u);
  EXPECT_EQ(text_of(list.table().find("a")->meta), "meta");
}

TEST_F(MembershipTest, AnAliveAboutUsWithOtherMetaIsRefuted) {
  list.apply(now, alive("me", 2, 1, "stolen"));
  EXPECT_EQ(incarnation("me"), 3u);
  EXPECT_EQ(count<Refuted>(), 1u);
  EXPECT_EQ(list.broadcasts().size(), 1u);
  EXPECT_TRUE(list.self().meta.empty());
}

TEST_F(MembershipTest, AliveAtAnotherAddressIsAConflict) {
  list.apply(now, alive("a", 1));
  drain();
  EXPECT_EQ(list.apply(now, alive("a", 1, 9)), Membership::Outcome::kDropped);
  EXPECT_EQ(count<Conflict>(), 1u);
  EXPECT_EQ(list.table().find("a")->endpoint, at(2));
}

TEST_F(MembershipTest, AHigherIncarnationAtAnotherAddressMustBeProved) {
  list.apply(now, alive("a", 1));
  EXPECT_EQ(list.apply(now, alive("a", 2, 9)), Membership::Outcome::kDisputed);
  EXPECT_EQ(list.table().find("a")->endpoint, at(2));
  list.apply(now, alive("a", 2, 9), {.move_proved = true});
  EXPECT_EQ(list.table().find("a")->endpoint, at(9));
}

TEST_F(MembershipTest, ADeadNameMovesOnlyAfterTheReclaimTime) {
  list.apply(now, alive("a", 1));
  dead("a", 1);
  now = now + 29s;
  list.apply(now, alive("a", 1, 9));
  EXPECT_EQ(state("a"), State::kDead);
  now = now + 2s;
  list.apply(now, alive("a", 1, 9));
  EXPECT_EQ(state("a"), State::kAlive);
  EXPECT_EQ(list.table().find("a")->endpoint, at(9));
}

TEST_F(MembershipTest, ALeftNameMovesAtOnce) {
  list.apply(now, alive("a", 1));
  dead("a", 1, "a");
  EXPECT_EQ(state("a"), State::kLeft);
  list.apply(now, alive("a", 1, 9));
  EXPECT_EQ(state("a"), State::kAlive);
}

TEST_F(MembershipTest, AddressesOutsideTheAllowedRangesAreRefused) {
  config.cidrs_allowed = {*Prefix::parse("10.0.0.0/29")};
  list.apply(now, alive("in", 1, 7));
  list.apply(now, alive("out", 1, 8));
  EXPECT_NE(list.table().find("in"), nullptr);
  EXPECT_EQ(list.table().find("out"), nullptr);
  EXPECT_EQ(list.dropped(Drop::kBadAddress), 1u);
}

TEST_F(MembershipTest, ProtocolNumbersThatMakeNoSenseAreIgnored) {
  for (const Vsn& vsn : {Vsn{0, 5, 2, 0, 0, 0}, Vsn{1, 0, 2, 0, 0, 0}, Vsn{4, 3, 2, 0, 0, 0}}) {
    Alive a = alive("a", 1);
    a.vsn = vsn;
    list.apply(now, a);
    EXPECT_EQ(list.table().find("a"), nullptr);
  }
  Alive none = alive("a", 1);
  none.vsn = kNoVsn;  // an old peer
  list.apply(now, none);
  EXPECT_NE(list.table().find("a"), nullptr);
}

TEST_F(MembershipTest, TheTableIsBounded) {
  config.members_max = 3;
  for (const char* name : {"a", "b", "c", "d"}) list.apply(now, alive(name, 1));
  EXPECT_EQ(list.table().size(), 3u);
  EXPECT_EQ(list.dropped(Drop::kTableFull), 2u);
}

TEST_F(MembershipTest, SuspectingNobodyKnownIsCounted) {
  suspect("nobody", 1);
  EXPECT_EQ(list.dropped(Drop::kUnknownMember), 1u);
}

TEST_F(MembershipTest, ASuspectIsPassedOnAndThenDeclaredDeadByUs) {
  list.apply(now, alive("a", 1));
  drain();
  suspect("a", 1, "accuser");
  EXPECT_EQ(count<Suspected>(), 1u);
  EXPECT_EQ(list.broadcasts().size(), 1u);
  ASSERT_EQ(list.next_timeout(), now + 4s);  // k = 0 with two members: the minimum
  now = now + 4s;
  list.handle_timeout(now);
  EXPECT_EQ(state("a"), State::kDead);
  ASSERT_EQ(count<Failed>(), 1u);
  const auto& failed = std::get<Failed>(events().back());
  EXPECT_EQ(failed.by, "me");
  EXPECT_EQ(failed.member.suspected_by, std::vector<std::string>{"accuser"});
}

TEST_F(MembershipTest, TheSameAccuserAgainIsNoNews) {
  list.apply(now, alive("a", 1));
  suspect("a", 1);
  drain();
  suspect("a", 1);
  EXPECT_TRUE(list.broadcasts().empty());
}

TEST_F(MembershipTest, OldSuspicionsAreIgnored) {
  list.apply(now, alive("a", 10));
  drain();
  suspect("a", 9);
  EXPECT_EQ(state("a"), State::kAlive);
}

TEST_F(MembershipTest, SuspectingUsIsRefutedAndHurtsOurHealth) {
  suspect("me", 1);
  EXPECT_EQ(state("me"), State::kAlive);
  EXPECT_EQ(incarnation("me"), 2u);
  EXPECT_EQ(list.awareness().score(), 1);
  suspect("me", 7);
  EXPECT_EQ(incarnation("me"), 8u);
}

// memberlist's "dogpile": each confirmation shortens the timer.
TEST_F(MembershipTest, ConfirmationsShortenTheTimer) {
  for (std::uint8_t i = 2; i < 12; ++i) list.apply(now, alive("m" + std::to_string(i), 1, i));
  suspect("m2", 1, "m3");
  const Instant none = *list.next_timeout();
  EXPECT_EQ((none - now) / 1ms, 6 * 4164);  // 11 members: log10 = 1.041
  drain();
  suspect("m2", 1, "m4");
  const Instant one = *list.next_timeout();
  suspect("m2", 1, "m5");
  const Instant two = *list.next_timeout();
  EXPECT_LT(one, none);
  EXPECT_EQ(two - now, 4164ms);
  EXPECT_EQ(list.broadcasts().size(), 1u);  // passed on, the later replacing the earlier
  drain();
  suspect("m2", 1, "m6");
  EXPECT_TRUE(list.broadcasts().empty()) << "a third confirmation counts no more";
}

TEST_F(MembershipTest, DeadAboutItselfIsLeft) {
  list.apply(now, alive("a", 1));
  dead("a", 1, "a");
  EXPECT_EQ(state("a"), State::kLeft);
  EXPECT_EQ(count<Left>(), 1u);
}

TEST_F(MembershipTest, DeadNobodyKnownIsCounted) {
  dead("ghost", 1);
  EXPECT_EQ(list.dropped(Drop::kUnknownMember), 1u);
  EXPECT_EQ(list.table().find("ghost"), nullptr);
  EXPECT_TRUE(events().empty());
}

TEST_F(MembershipTest, DeadTwiceIsOneEvent) {
  list.apply(now, alive("a", 1));
  dead("a", 1);
  dead("a", 1);
  EXPECT_EQ(count<Failed>(), 1u);
}

TEST_F(MembershipTest, OldDeadIsIgnoredAndOldAliveDoesNotRaiseTheDead) {
  list.apply(now, alive("a", 10));
  dead("a", 9);
  EXPECT_EQ(state("a"), State::kAlive);
  dead("a", 10);
  list.apply(now, alive("a", 10));
  EXPECT_EQ(state("a"), State::kDead);
}

TEST_F(MembershipTest, DeadAboutUsIsRefutedUnlessWeLeave) {
  dead("me", 1);
  EXPECT_EQ(incarnation("me"), 2u);
  list.leave(now);
  EXPECT_EQ(state("me"), State::kLeft);
  list.apply(now, alive("me", 9, 1));
  EXPECT_EQ(state("me"), State::kLeft) << "a late alive does not bring us back";
}

// memberlist's TestSuspicion_Timer_Immediate: more time has passed than is then left.
TEST_F(MembershipTest, AConfirmationAfterTheMinimumEndsTheSuspicionAtOnce) {
  for (std::uint8_t i = 2; i < 8; ++i) list.apply(now, alive("m" + std::to_string(i), 1, i));
  suspect("m2", 1, "m3");
  now = now + 10s;
  list.handle_timeout(now);
  ASSERT_EQ(state("m2"), State::kSuspect);
  suspect("m2", 1, "m4");
  suspect("m2", 1, "m5");
  ASSERT_TRUE(list.next_timeout());
  EXPECT_LE(*list.next_timeout(), now);
  list.handle_timeout(now);
  EXPECT_EQ(state("m2"), State::kDead);
}

// memberlist mergeState: another's dead is only suspected here.
TEST_F(MembershipTest, MergingTakesDeadAsSuspectAndLeftAsLeft) {
  for (std::uint8_t i = 2; i < 6; ++i) list.apply(now, alive("m" + std::to_string(i), 1, i));
  const auto merge = [&](std::string_view name, State s, std::uint8_t last) {
    list.apply(now, NodeState{name, at(last), {}, Incarnation(1), s, Vsn()});
  };
  merge("m2", State::kDead, 2);
  merge("m3", State::kSuspect, 3);
  merge("m4", State::kLeft, 4);
  merge("new", State::kAlive, 7);
  merge("ghost", State::kDead, 8);
  EXPECT_EQ(state("m2"), State::kSuspect);
  EXPECT_EQ(state("m3"), State::kSuspect);
  EXPECT_EQ(state("m4"), State::kLeft);
  EXPECT_EQ(state("new"), State::kAlive);
  EXPECT_EQ(list.table().find("ghost"), nullptr);
  EXPECT_EQ(list.table().find("m2")->info().suspected_by, std::vector<std::string>{"me"});
  EXPECT_EQ(list.table().find("m2")->reason, Reason::kPushPull);
}

TEST_F(MembershipTest, TheLongDeadTakeNoPartButStayListedUntilForgotten) {
  list.apply(now, alive("a", 5));
  dead("a", 5);
  now = now + 31s;
  list.start_round(now);
  EXPECT_EQ(list.table().active_count(), 1u);
  ASSERT_NE(list.table().find("a"), nullptr);
  // memberlist would have forgotten it, and take it back at any incarnation.
  list.apply(now, alive("a", 1));
  EXPECT_EQ(state("a"), State::kAlive);
  EXPECT_EQ(list.table().active_count(), 2u);
}

}  // namespace
}  // namespace ginnel::swim
