#include <gtest/gtest.h>

#include "sim/fault_injector.h"
#include "sim/places.h"
#include "sim/test_hosts.h"

namespace ginnel::sim {
namespace {

constexpr std::uint16_t kPort = 7700;
constexpr Instant kStop = Instant{} + 30min;

// A hub and four peers behind NATs that ping it once a second.
struct Town {
  explicit Town(std::uint64_t seed) : world({.seed = seed, .trace_entries = 0}), places(world) {
    hub = world.add_machine("hub", std::make_unique<EchoHost>(kPort));
    places.put(hub, places.add_site(NatKind::kOpen, far));
    world.start(hub);
    for (const NatKind kind :
         {NatKind::kFullcone, NatKind::kPortrestricted, NatKind::kSymmetric, NatKind::kCgnat}) {
      const auto id = world.add_machine("peer", std::make_unique<Pinger>(kPort));
      places.put(id, places.add_site(kind, far));
      world.start(id);
      world.host<Pinger>(id).send_series(
          {.letter = {.to = {world.machine(hub).addresses()[0], kPort}, .bytes = ByteVector(1400)},
           .count = 3600});
      world.poke(id);
      peers.push_back(id);
    }
  }
  FaultPlan plan(double per_minute) {
    return make_fault_plan({.start = Instant{} + 10s, .stop = kStop, .per_minute = per_minute},
                           targets_of(world, {hub}), world.fork("faults"));
  }

  World world;
  Places places;
  SiteOptions far{.wan = both({.delay = 20ms})};
  MachineId hub;
  std::vector<MachineId> peers;
};

TEST(FaultPlan, HasOneFaultPerSlotAndEndsAllByTheStop) {
  Town town(1);
  const FaultPlan plan = town.plan(6);
  EXPECT_EQ(plan.size(), 179U);  // 10 s slots from 10 s to 30 min
  for (const Fault& fault : plan) {
    EXPECT_GE(fault.at, Instant{} + 10s);
    EXPECT_LE(fault.at + fault.duration, kStop);
  }
}

TEST(FaultPlan, FollowsFromItsSeed) {
  const auto texts = [](std::uint64_t seed) {
    Town town(seed);
    std::string out;
    for (const Fault& fault : town.plan(6)) out += fault.text() + "\n";
    return out;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
}

TEST(FaultPlan, AKindWithoutWeightOrTargetNeverComes) {
  Town town(1);
  FaultPlanOptions options{.start = Instant{}, .stop = kStop, .per_minute = 60};
  options.weights[static_cast<std::size_t>(FaultKind::kClog)] = 0;
  const FaultPlan plan =
      make_fault_plan(options, targets_of(town.world, {}), town.world.fork("faults"));
  for (const Fault& fault : plan) {
    EXPECT_NE(fault.kind, FaultKind::kClog);
    EXPECT_NE(fault.kind, FaultKind::kHubRestart);
  }
}

TEST(FaultInjector, CarriesOutEveryKindAndTheWorldRecovers) {
  Town town(3);
  FaultInjector chaos(town.world, town.plan(60));
  town.world.run_until(kStop + 20s);
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    EXPECT_GT(chaos.done(kind), 20U) << fault_name(kind);
  }
  EXPECT_LE(chaos.done_total(), chaos.plan().size());
  // All are over: everybody is up, on time, and everybody's last pings came back.
  for (const MachineId peer : town.peers) {
    EXPECT_TRUE(town.world.machine(peer).is_up());
    const auto& received = town.world.host<Pinger>(peer).received();
    std::size_t after = 0;
    for (const Received& each : received) after += each.at > kStop ? 1 : 0;
    EXPECT_GE(after, 19U);
    EXPECT_EQ(town.world.clock(peer).wall - WorldOptions{}.wall, town.world.now() - Instant{});
  }
}

TEST(FaultInjector, SameSeedWithFaultsReplaysTheSameRun) {
  const auto hash = [](std::uint64_t seed) {
    Town town(seed);
    FaultInjector chaos(town.world, town.plan(60));
    town.world.run_until(kStop);
    return town.world.trace().hash();
  };
  EXPECT_EQ(hash(5), hash(5));
  EXPECT_NE(hash(5), hash(6));
}

// One fault of one's choice, and how many of ten pings come back while it lasts.
std::size_t pongs_during(FaultKind kind, std::uint32_t subject, const Town& like,
                         std::vector<AttachmentId> group = {}) {
  Town town(like.world.seed());
  FaultInjector chaos(town.world, {{.at = Instant{} + 9500ms,
                                    .duration = 10s,
                                    .kind = kind,
                                    .subject = subject,
                                    .amount = 1,
                                    .group = std::move(group)}});
  town.world.run_until(Instant{} + 19500ms);
  std::size_t out = 0;
  for (const Received& each : town.world.host<Pinger>(town.peers[0]).received()) {
    out += each.at > Instant{} + 9500ms ? 1 : 0;
  }
  return out;
}

TEST(FaultInjector, EachFaultHasItsEffectWhileItLasts) {
  const Town town(8);
  const std::uint32_t site =
      town.world.net().wan_of(town.world.machine(town.peers[0]).attachments()[0]).value();
  EXPECT_EQ(pongs_during(FaultKind::kNatRebind, 0, town), 10U);  // outbound opens it again
  EXPECT_EQ(pongs_during(FaultKind::kLossBurst, site, town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kLinkDown, site, town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kClog, site, town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kMtuDrop, site, town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kDuplicationStorm, site, town), 40U);
  EXPECT_EQ(pongs_during(FaultKind::kHubRestart, town.hub.value(), town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kHostCrash, town.peers[0].value(), town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kPartition, 0, town, {AttachmentId{site}}), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kOneWayPartition, 0, town, {AttachmentId{site}}), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kClockJump, town.peers[0].value(), town), 10U);
  EXPECT_EQ(pongs_during(FaultKind::kSuspend, town.peers[0].value(), town), 0U);
  EXPECT_EQ(pongs_during(FaultKind::kDelay, site, town), 8U);  // one second each way
}

}  // namespace
}  // namespace ginnel::sim
