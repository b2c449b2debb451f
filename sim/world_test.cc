#include "sim/world.h"

#include <gtest/gtest.h>

#include "base/drain.h"
#include "sim/places.h"
#include "sim/test_hosts.h"

namespace ginnel::sim {
namespace {

static_assert(ginnel::Outbox<SendBatch&>);  // so base/drain.h serves a host's core

constexpr std::uint16_t kPort = 7700;

// A busy world: pairs over lossy, jittery, reordering links.
struct Busy {
  explicit Busy(std::uint64_t seed) : world({.seed = seed}), places(world) {
    const SiteOptions bad{.wan = both({.delay = 20ms,
                                       .jitter = 10ms,
                                       .loss = 0.05,
                                       .reorder = 0.05,
                                       .duplicate = 0.05,
                                       .corrupt = 0.01})};
    for (int i = 0; i < 5; ++i) {
      const auto echo = world.add_machine("echo", std::make_unique<EchoHost>(kPort));
      const auto ping = world.add_machine("ping", std::make_unique<Pinger>(kPort));
      places.put(echo, places.add_site(NatKind::kOpen, bad));
      places.put(ping, places.add_site(NatKind::kSymmetric, bad));
      world.start(echo);
      world.start(ping);
      world.host<Pinger>(ping).send_series(
          {.letter = {.to = {world.machine(echo).addresses()[0], kPort}, .bytes = ByteVector(50)},
           .interval = 100ms,
           .count = 200});
      world.poke(ping);
    }
    world.run_for(30s);
  }
  World world;
  Places places;
};

TEST(World, SameSeedReplaysTheSameRun) {
  Busy first(0x1f3a);
  Busy second(0x1f3a);
  EXPECT_EQ(first.world.trace().hash(), second.world.trace().hash());
  EXPECT_EQ(first.world.trace().text(4096), second.world.trace().text(4096));
  EXPECT_GT(first.world.events(), 5000U);
}

TEST(World, AnotherSeedMakesAnotherRun) {
  EXPECT_NE(Busy(1).world.trace().hash(), Busy(2).world.trace().hash());
}

// One machine at an open site.
struct Lone {
  World world{{.seed = 9}};
  Places places{world};
  MachineId id = world.add_machine("lone", std::make_unique<Pinger>(kPort));
  AttachmentId at = places.put(id, places.add_site(NatKind::kOpen));
  Endpoint self{world.machine(id).addresses()[0], kPort};
  Pinger& host() { return world.host<Pinger>(id); }
};

TEST(World, AWeekPassesInNoTimeWhenNothingHappens) {
  Lone lone;
  lone.world.start(lone.id);
  lone.world.run_for(24h * 7);
  EXPECT_EQ(lone.world.now(), Instant{} + 24h * 7);
  EXPECT_FALSE(lone.world.step());
}

TEST(World, CrashLosesSocketsTimersAndPacketsAndKeepsTheDisk) {
  Lone lone;
  lone.world.start(lone.id);
  lone.host().send({.to = lone.self, .bytes = ByteVector(1)});
  lone.world.poke(lone.id);
  lone.world.crash(lone.id);
  lone.world.run_for(1s);
  EXPECT_EQ(lone.world.fabric().dropped(DropReason::kMachineDown), 1U);
  lone.world.start(lone.id);
  EXPECT_EQ(lone.host().starts(), 2U);
  EXPECT_TRUE(lone.host().received().empty());
}

TEST(World, DatagramToAnUnboundPortIsDropped) {
  Lone lone;
  lone.world.start(lone.id);
  lone.host().send({.to = {lone.self.address, 1}, .bytes = ByteVector(1)});
  lone.world.poke(lone.id);
  lone.world.run_for(1s);
  EXPECT_EQ(lone.world.fabric().dropped(DropReason::kNoSocket), 1U);
}

TEST(World, WallClockOfOneMachineJumpsAndItsTimersDoNot) {
  Lone lone;
  lone.world.start(lone.id);
  const Wall before = lone.world.clock(lone.id).wall;
  lone.host().send_series({.letter = {.to = lone.self}, .first = Instant{} + 10s});
  lone.world.poke(lone.id);
  lone.world.jump_wall(lone.id, -1h);
  lone.world.run_for(10s);
  EXPECT_EQ(lone.host().last_wall() - before, 10s - 1h);
}

TEST(World, CallsHappenAtTheirTimeInTheOrderAdded) {
  World world({.seed = 1});
  std::vector<std::pair<int, Instant>> calls;
  world.call_at(Instant{} + 2s, [&](World& w) { calls.emplace_back(2, w.now()); });
  world.call_at(Instant{} + 2s, [&](World& w) { calls.emplace_back(3, w.now()); });
  world.call_at(Instant{} + 1s, [&](World& w) {
    calls.emplace_back(1, w.now());
    w.call_at(Instant{} + 2s, [&](World& again) { calls.emplace_back(4, again.now()); });
  });
  world.run_for(10s);
  EXPECT_EQ(
      calls,
      (std::vector<std::pair<int, Instant>>{
          {1, Instant{} + 1s}, {2, Instant{} + 2s}, {3, Instant{} + 2s}, {4, Instant{} + 2s}}));
}

TEST(World, ManyDatagramsOfOneDrainAllLeave) {
  Lone lone;
  lone.world.start(lone.id);
  for (std::size_t i = 0; i < World::kDatagramsPerDrainMax + 10; ++i) {
    lone.host().send({.to = lone.self, .bytes = ByteVector(1)});
  }
  lone.world.poke(lone.id);
  lone.world.run_for(1s);
  EXPECT_EQ(lone.host().received().size(), World::kDatagramsPerDrainMax + 10);
}

// A host that sends one block for the kernel to split (UDP GSO).
class Splitter : public Pinger {
 public:
  explicit Splitter(const Endpoint& to) : Pinger(kPort), to_(to) {}
  void drain(const Clock&, SendBatch& batch) override {
    if (sent_) return;
    sent_ = true;
    batch.slot();
    batch.commit({.path = kSocket, .to = to_, .size = 2500, .segment_size = 1000});
  }

 private:
  Endpoint to_;
  bool sent_ = false;
};

TEST(World, SplitsABlockIntoDatagrams) {
  Lone lone;
  lone.world.start(lone.id);
  const auto id = lone.world.add_machine("splitter", std::make_unique<Splitter>(lone.self));
  lone.places.put(id, lone.places.add_site(NatKind::kOpen));
  lone.world.start(id);
  lone.world.run_for(1s);
  std::vector<std::size_t> sizes;
  for (const Received& each : lone.host().received()) sizes.push_back(each.bytes.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1000, 1000, 500}));
}

TEST(World, BindGivesEachSocketItsOwnPort) {
  Lone lone;
  lone.world.start(lone.id);
  Machine& machine = lone.world.machine(lone.id);
  EXPECT_EQ(machine.bind(PathId{5}, kPort), std::nullopt);
  const auto port = machine.bind(PathId{5}, Machine::kAnyPort);
  ASSERT_TRUE(port.has_value());
  EXPECT_EQ(machine.path_of(*port), PathId{5});
  machine.close(PathId{5});
  EXPECT_EQ(machine.path_of(*port), std::nullopt);
}

// Fails at the first delivery.
class NoDelivery : public Checker {
  void on_step(const World& world) override {
    if (world.trace().count() > 2) violated("something happened");
  }
};

TEST(World, ReportsViolationsTheTraceAndTheLineToReplay) {
  Lone lone;
  NoDelivery checker;
  lone.world.watch(checker);
  lone.world.start(lone.id);
  EXPECT_FALSE(lone.world.failed());
  lone.host().send({.to = lone.self, .bytes = ByteVector(1)});
  lone.world.poke(lone.id);
  lone.world.run_for(1s);
  EXPECT_TRUE(lone.world.failed());
  const std::string report = lone.world.failure_report("abc123");
  EXPECT_NE(report.find("violated: something happened\n"), std::string::npos);
  EXPECT_NE(report.find("deliver 0 203.0.113.2:7700 > 203.0.113.2:7700 1\n"), std::string::npos);
  EXPECT_TRUE(report.ends_with("./dev sim --seed=0x9 --at=abc123\n"));
}

TEST(World, ReplayLineWritesTheSeedInHexadecimal) {
  EXPECT_EQ(replay_line(0x1f3a, "1af4c8d"), "./dev sim --seed=0x1f3a --at=1af4c8d");
}

}  // namespace
}  // namespace ginnel::sim
