#include "sim/ledger.h"

#include <gtest/gtest.h>

#include "sim/test_hosts.h"
#include "sim/world.h"

namespace ginnel::sim {
namespace {

struct Books {
  World world{{.seed = 1}};
  MachineId alice = world.add_machine("alice", std::make_unique<EchoHost>(std::uint16_t{7}));
  MachineId bob = world.add_machine("bob", std::make_unique<EchoHost>(std::uint16_t{7}));
  Ledger ledger{world};

  void sent(std::string_view text, std::string_view channel = "chat") {
    ledger.sent(alice, bob, channel, bytes_of(text));
  }
  void received(std::string_view text, std::string_view channel = "chat") {
    ledger.received(alice, bob, channel, bytes_of(text));
  }
  std::vector<std::string> finish() {
    ledger.finish(world);
    return ledger.violations();
  }
  using Texts = std::vector<std::string>;
};

TEST(Ledger, EachMessageOnceInOrderIsNoViolation) {
  Books books;
  for (const auto* text : {"one", "two", "three"}) books.sent(text);
  for (const auto* text : {"one", "two", "three"}) books.received(text);
  EXPECT_EQ(books.finish(), Books::Texts{});
  EXPECT_EQ(books.ledger.counts().received, 3U);
  EXPECT_EQ(books.ledger.counts().missing, 0U);
}

TEST(Ledger, TellsWhatWasLost) {
  Books books;
  books.sent("one");
  books.sent("two");
  books.received("one");
  EXPECT_EQ(books.finish(), Books::Texts{"lost: alice > bob chat #2 at 0 ms"});
}

TEST(Ledger, TellsWhatCameTwice) {
  Books books;
  books.sent("one");
  books.received("one");
  books.received("one");
  EXPECT_EQ(books.finish(), Books::Texts{"doubled: alice > bob chat #1 at 0 ms"});
}

TEST(Ledger, TellsWhatWasOvertakenAndOnlyOnce) {
  Books books;
  for (const auto* text : {"one", "two", "three"}) books.sent(text);
  for (const auto* text : {"two", "three", "one"}) books.received(text);
  EXPECT_EQ(books.finish(), Books::Texts{"overtaken: alice > bob chat #1 at 0 ms"});
}

TEST(Ledger, TellsWhatWasChangedOnTheWay) {
  Books books;
  books.sent("one");
  books.received("0ne");
  EXPECT_EQ(books.finish(), (Books::Texts{"corrupted, or never sent: alice > bob chat at 0 ms",
                                          "lost: alice > bob chat #1 at 0 ms"}));
}

TEST(Ledger, DatagramsMayBeLostAndReorderedButNotDoubled) {
  Books books;
  books.ledger.set_guarantee("voice", Ledger::Guarantee::kAtMostOnce);
  for (const auto* text : {"one", "two", "three"}) books.sent(text, "voice");
  books.received("three", "voice");
  books.received("one", "voice");
  EXPECT_EQ(books.ledger.violation_count(), 0U);
  books.received("one", "voice");
  EXPECT_EQ(books.finish(), Books::Texts{"doubled: alice > bob voice #1 at 0 ms"});
}

TEST(Ledger, ReliableWithoutOrderMayBeOvertakenButNotLost) {
  Books books;
  books.ledger.set_guarantee("bulk", Ledger::Guarantee::kReliable);
  books.sent("one", "bulk");
  books.sent("two", "bulk");
  books.received("two", "bulk");
  EXPECT_EQ(books.finish(), Books::Texts{"lost: alice > bob bulk #1 at 0 ms"});
}

TEST(Ledger, ChannelsAndDirectionsAreFlowsOfTheirOwn) {
  Books books;
  books.sent("one", "chat");
  books.received("one", "other");
  EXPECT_EQ(books.ledger.counts().unknown, 1U);
  books.ledger.received(books.bob, books.alice, "chat", bytes_of("one"));
  EXPECT_EQ(books.ledger.counts().unknown, 2U);
}

TEST(Ledger, MessageThatTheSenderGaveUpMayArriveOrNot) {
  Books books;
  for (const auto* text : {"one", "two", "three"}) books.sent(text);
  books.ledger.gave_up(books.alice, books.bob, "chat", bytes_of("one"));
  books.ledger.gave_up(books.alice, books.bob, "chat", bytes_of("two"));
  books.received("two");
  books.received("three");
  EXPECT_EQ(books.finish(), Books::Texts{});
}

TEST(Ledger, CrashExcusesWhatWasUnderWay) {
  Books books;
  books.world.watch(books.ledger);
  books.world.start(books.alice);
  books.sent("one");
  books.world.crash(books.alice);
  books.sent("two");
  books.received("two");
  EXPECT_EQ(books.finish(), Books::Texts{});
}

TEST(Ledger, CrashedReceiverMayGetAMessageOnceMore) {
  Books books;
  books.world.watch(books.ledger);
  books.world.start(books.bob);
  books.sent("one");
  books.received("one");
  books.world.crash(books.bob);
  books.received("one");
  EXPECT_EQ(books.ledger.counts().again, 1U);
  EXPECT_EQ(books.ledger.violation_count(), 0U);
  books.received("one");
  EXPECT_EQ(books.ledger.violation_count(), 1U);
}

TEST(Ledger, FlowWithoutEndStaysBoundedAndTellsWhatItForgets) {
  Books books;
  for (std::size_t i = 0; i < Ledger::kUnderWayMax + 1; ++i) books.sent(std::to_string(i));
  EXPECT_EQ(
      books.ledger.violations(),
      Books::Texts{"lost, or more under way than the ledger holds: alice > bob chat #1 at 0 ms"});
}

TEST(Ledger, CrashOfAThirdExcusesNothing) {
  Books books;
  const auto carol = books.world.add_machine("carol", std::make_unique<EchoHost>(std::uint16_t{7}));
  books.world.watch(books.ledger);
  books.world.start(carol);
  books.sent("one");
  books.world.crash(carol);
  EXPECT_EQ(books.finish().size(), 1U);
}

TEST(Ledger, PerRunWhatTheSenderGaveBeforeItKnewOfTheNewRunMayBeLost) {
  Books books;
  books.ledger.set_guarantee("chat", Ledger::Guarantee::kPerRun);
  books.sent("to the old run");
  books.ledger.on_crash(books.world, books.bob);
  books.sent("still to the old run");
  books.sent("to the new run");
  books.received("to the new run");
  EXPECT_EQ(books.finish(), Books::Texts{});
}

TEST(Ledger, PerRunEverythingAfterTheFirstMessageOfTheNewRunMustArrive) {
  Books books;
  books.ledger.set_guarantee("chat", Ledger::Guarantee::kPerRun);
  books.ledger.on_crash(books.world, books.bob);  // before anything was sent to it
  books.sent("one");
  books.sent("two");
  books.received("one");
  books.sent("three");
  books.received("three");
  EXPECT_EQ(books.finish(), (Books::Texts{"overtaken: alice > bob chat #2 at 0 ms",
                                          "lost: alice > bob chat #2 at 0 ms"}));
}

}  // namespace
}  // namespace ginnel::sim
