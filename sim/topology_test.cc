// Where packets go, hop by hop: TTL, routes, MTU, blocks; with two machines and a pinger.
#include "sim/topology.h"

#include <gtest/gtest.h>

#include "sim/places.h"
#include "sim/test_hosts.h"

namespace ginnel::sim {
namespace {

constexpr std::uint16_t kHostPort = 7700;

// Two machines at sites of one's choice.
struct Net {
  explicit Net(NatKind kind_a, NatKind kind_b, const SiteOptions& options = {}) {
    places.put(a, places.add_site(kind_a, options));
    places.put(b, places.add_site(kind_b, options));
    world.start(a);
    world.start(b);
  }
  Endpoint address(MachineId id, std::size_t n = 0) {
    return {world.machine(id).addresses()[n], kHostPort};
  }
  // Sends one datagram and lets a second pass; how many it has received now.
  std::size_t send(MachineId from, const Endpoint& to, std::uint8_t ttl = 0,
                   std::size_t size = 100) {
    world.host<Pinger>(from).send({.to = to, .bytes = ByteVector(size), .ttl = ttl});
    world.poke(from);
    world.run_for(1s);
    return received(from == a ? b : a).size();
  }
  const std::vector<Received>& received(MachineId id) { return world.host<Pinger>(id).received(); }

  World world{{.seed = 2}};
  Places places{world};
  MachineId a = world.add_machine("a", std::make_unique<Pinger>(kHostPort));
  MachineId b = world.add_machine("b", std::make_unique<Pinger>(kHostPort));
};

TEST(Topology, DeliversWithTheDelayOfBothLinks) {
  Net net(NatKind::kOpen, NatKind::kOpen, {.wan = both({.delay = 20ms})});
  ASSERT_EQ(net.send(net.a, net.address(net.b)), 1U);
  const Received& letter = net.received(net.b)[0];
  EXPECT_EQ(letter.at, Instant{} + 40ms);
  EXPECT_EQ(letter.arrival.from, net.address(net.a));
  EXPECT_EQ(letter.arrival.local, net.address(net.b));
}

TEST(Topology, EachRouterCountsTheTtlDown) {
  Net net(NatKind::kFullcone, NatKind::kOpen);
  ASSERT_EQ(net.send(net.a, net.address(net.b), 10), 1U);
  EXPECT_EQ(net.received(net.b)[0].arrival.ttl, 8);  // the box and the core
  EXPECT_EQ(net.send(net.a, net.address(net.b), 2), 1U);
  EXPECT_EQ(net.send(net.a, net.address(net.b), 3), 2U);
}

TEST(Topology, TtlOneDiesAtTheOwnBoxAndOpensNothing) {
  Net net(NatKind::kFullcone, NatKind::kOpen);
  net.send(net.a, net.address(net.b), 1);
  EXPECT_EQ(net.world.net().box(BoxId{0}).nat.rows(), 0U);
  EXPECT_EQ(net.world.fabric().dropped(DropReason::kTtlExpired), 1U);
}

// What priming relies on: TTL 2 opens the own box and dies before the other's.
TEST(Topology, TtlTwoOpensTheOwnBoxAndDiesBeforeTheOther) {
  Net net(NatKind::kPortrestricted, NatKind::kLinuxclash);
  const Endpoint outside_b{net.world.net().box(BoxId{1}).nat.outside(), kHostPort};
  net.send(net.a, outside_b, 2);
  EXPECT_EQ(net.world.net().box(BoxId{0}).nat.rows(), 1U);
  EXPECT_EQ(net.world.net().box(BoxId{1}).nat.rows(), 0U);
  net.send(net.a, outside_b, 3);  // reaches it: the trap springs
  EXPECT_EQ(net.world.net().box(BoxId{1}).nat.rows(), 1U);
  EXPECT_EQ(net.world.fabric().dropped(DropReason::kNatLocal), 1U);
}

TEST(Topology, PrivateAddressesAreNotRoutedInTheInternet) {
  Net net(NatKind::kFullcone, NatKind::kFullcone);
  net.send(net.a, {Address::v4(10, 0, 0, 1), kHostPort});
  EXPECT_EQ(net.world.fabric().dropped(DropReason::kNoRoute), 1U);
}

TEST(Topology, OverlappingPrivateRangesStayApart) {
  Net net(NatKind::kPortrestricted, NatKind::kPortrestricted);
  EXPECT_EQ(net.address(net.a), net.address(net.b));
  EXPECT_EQ(net.send(net.a, net.address(net.b)), 0U);
  EXPECT_EQ(net.received(net.a).size(), 1U);  // the wrong host: itself
}

TEST(Topology, GlobalIpv6GoesOutAndOnlyAnswersComeIn) {
  Net net(NatKind::kSymmetric, NatKind::kOpen, {.v6 = true});
  EXPECT_EQ(net.send(net.b, net.address(net.a, 1)), 0U);
  ASSERT_EQ(net.send(net.a, net.address(net.b, 1)), 1U);
  EXPECT_EQ(net.received(net.b)[0].arrival.from, net.address(net.a, 1));
  EXPECT_EQ(net.send(net.b, net.address(net.a, 1)), 1U);
}

TEST(Topology, OwnLinkTooSmallTellsTheSender) {
  Net net(NatKind::kOpen, NatKind::kOpen, {.wan = both({.mtu_bytes = 1400})});
  EXPECT_EQ(net.send(net.a, net.address(net.b), 0, 1372), 1U);
  EXPECT_EQ(net.send(net.a, net.address(net.b), 0, 1373), 1U);
  const auto& told = net.world.host<Pinger>(net.a).too_big();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].mtu_bytes, 1400U);
  EXPECT_EQ(told[0].to, net.address(net.b));
}

TEST(Topology, LaterLinkTooSmallDropsInSilence) {
  Net net(NatKind::kFullcone, NatKind::kOpen, {.wan = both({.mtu_bytes = 1400})});
  EXPECT_EQ(net.send(net.a, net.address(net.b), 0, 1373), 0U);
  EXPECT_TRUE(net.world.host<Pinger>(net.a).too_big().empty());
  EXPECT_EQ(net.world.fabric().dropped(DropReason::kTooBig), 1U);
}

TEST(Topology, BlockCutsOneDirectionUntilItEnds) {
  Net net(NatKind::kOpen, NatKind::kOpen);
  const std::array from{net.world.machine(net.a).attachments()[0]};
  const std::array to{net.world.machine(net.b).attachments()[0]};
  net.world.net().block(net.world.now(), from, to, net.world.now() + 5s);
  EXPECT_EQ(net.send(net.a, net.address(net.b)), 0U);
  EXPECT_EQ(net.send(net.b, net.address(net.a)), 1U);
  net.world.run_for(5s);
  EXPECT_EQ(net.send(net.a, net.address(net.b)), 1U);
}

TEST(Topology, LinkAcrossLiesBetweenOnePairOnly) {
  Net net(NatKind::kOpen, NatKind::kPortrestricted);
  const auto [from, to] = net.world.net().meeting(net.world.machine(net.b).attachments()[0],
                                                  net.world.machine(net.a).attachments()[0]);
  net.world.net().across(from, to).set_config({.delay = 80ms});
  net.send(net.b, net.address(net.a));
  ASSERT_EQ(net.received(net.a).size(), 1U);
  EXPECT_EQ(net.received(net.a)[0].at, Instant{} + 80ms);
  net.send(net.a, net.received(net.a)[0].arrival.from);
  EXPECT_EQ(net.received(net.b)[0].at, Instant{} + 1s);
}

TEST(Topology, MeetingPlaceOfNeighboursIsTheirLan) {
  World world({.seed = 1});
  Places places(world);
  const Site site = places.add_site(NatKind::kCgnatpair);
  std::vector<AttachmentId> at;
  for (const std::size_t home : {0, 0, 1}) {
    const auto id = world.add_machine("m", std::make_unique<EchoHost>(kHostPort));
    at.push_back(places.put(id, site, {.home = home}));
  }
  EXPECT_EQ(world.net().meeting(at[0], at[1]), std::pair(at[0], at[1]));
  const auto [mine, theirs] = world.net().meeting(at[0], at[2]);
  EXPECT_EQ(mine, world.net().box(site.homes[0]).outside);
  EXPECT_EQ(theirs, world.net().box(site.homes[1]).outside);
}

TEST(Topology, NewOutsideAddressReplacesTheOldOne) {
  Net net(NatKind::kFullcone, NatKind::kOpen);
  net.send(net.a, net.address(net.b));
  const Endpoint old = net.received(net.b)[0].arrival.from;
  net.world.net().set_outside(BoxId{0}, Address::v4(198, 51, 100, 7));
  EXPECT_EQ(net.send(net.b, old), 0U);
  net.send(net.a, net.address(net.b));
  EXPECT_EQ(net.received(net.b)[1].arrival.from.address, Address::v4(198, 51, 100, 7));
  EXPECT_EQ(net.send(net.b, net.received(net.b)[1].arrival.from), 1U);
}

TEST(Topology, MachineRoamsToAnotherSite) {
  Net net(NatKind::kOpen, NatKind::kOpen);
  const Endpoint old = net.address(net.a);
  net.world.detach(net.world.machine(net.a).attachments()[0]);
  EXPECT_EQ(net.send(net.b, old), 0U);
  net.places.put(net.a, net.places.add_site(NatKind::kPortrestricted));
  EXPECT_EQ(net.world.host<Pinger>(net.a).network_changes(), 2U);
  EXPECT_EQ(net.send(net.a, net.address(net.b)), 1U);
}

TEST(Topology, MachineWithTwoNetworksSendsFromTheAddressItNames) {
  Net net(NatKind::kOpen, NatKind::kOpen);
  const AttachmentId second = net.places.put(net.a, net.places.add_site(NatKind::kOpen));
  const Address source = net.world.net().attachment(second).addresses[0];
  net.world.host<Pinger>(net.a).send(
      {.to = net.address(net.b), .bytes = ByteVector(1), .source = source});
  net.world.poke(net.a);
  net.world.run_for(1s);
  ASSERT_EQ(net.received(net.b).size(), 1U);
  EXPECT_EQ(net.received(net.b)[0].arrival.from.address, source);
}

}  // namespace
}  // namespace ginnel::sim
