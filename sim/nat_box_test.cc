#include "sim/nat_box.h"

#include <gtest/gtest.h>

namespace ginnel::sim {
namespace {

const Address kOutside = Address::v4(203, 0, 113, 1);
const Endpoint kAlice{Address::v4(192, 168, 1, 2), 7700};
const Endpoint kBob{Address::v4(192, 168, 1, 3), 7700};
const Endpoint kRemote{Address::v4(198, 51, 100, 1), 1000};
const Endpoint kRemotePort{Address::v4(198, 51, 100, 1), 2000};
const Endpoint kOther{Address::v4(198, 51, 100, 2), 1000};

NatBox make_box(const NatConfig& config) { return NatBox(config, kOutside, Rng::from_seed(5)); }

// The outside endpoint that a packet leaves from; nullopt: it did not leave.
std::optional<Endpoint> out(NatBox& box, const Endpoint& from, const Endpoint& to,
                            Nanoseconds at = 0ns) {
  Flow flow{from, to};
  if (box.outbound(Instant{} + at, flow) != NatVerdict::kForward) return std::nullopt;
  return flow.source;
}

NatVerdict in(NatBox& box, const Endpoint& from, const Endpoint& to, Nanoseconds at = 0ns) {
  Flow flow{from, to};
  return box.inbound(Instant{} + at, flow);
}

// RFC 4787 section 4.1.
TEST(NatBox, MappingDependsOnTheRemoteAsFarAsConfigured) {
  const auto same_port = [](Mapping mapping, const Endpoint& second) {
    NatBox box = make_box({.mapping = mapping, .allocation = PortAllocation::kRandom});
    return out(box, kAlice, kRemote) == out(box, kAlice, second);
  };
  EXPECT_TRUE(same_port(Mapping::kEndpointIndependent, kOther));
  EXPECT_TRUE(same_port(Mapping::kAddressDependent, kRemotePort));
  EXPECT_FALSE(same_port(Mapping::kAddressDependent, kOther));
  EXPECT_FALSE(same_port(Mapping::kAddressAndPortDependent, kRemotePort));
}

// RFC 4787 section 5.
TEST(NatBox, FilterLooksAtTheRemoteAsFarAsConfigured) {
  const auto lets_in = [](Filtering filtering, const Endpoint& from) {
    NatBox box = make_box({.filtering = filtering});
    const auto outside = out(box, kAlice, kRemote);
    return in(box, from, *outside) == NatVerdict::kForward;
  };
  EXPECT_TRUE(lets_in(Filtering::kEndpointIndependent, kOther));
  EXPECT_TRUE(lets_in(Filtering::kAddressDependent, kRemotePort));
  EXPECT_FALSE(lets_in(Filtering::kAddressDependent, kOther));
  EXPECT_TRUE(lets_in(Filtering::kAddressAndPortDependent, kRemote));
  EXPECT_FALSE(lets_in(Filtering::kAddressAndPortDependent, kRemotePort));
}

TEST(NatBox, TranslatesInboundToTheInsideEndpoint) {
  NatBox box = make_box({.allocation = PortAllocation::kRandom});
  Flow flow{kRemote, *out(box, kAlice, kRemote)};
  EXPECT_EQ(box.inbound(Instant{}, flow), NatVerdict::kForward);
  EXPECT_EQ(flow.target, kAlice);
  EXPECT_EQ(flow.source, kRemote);
}

TEST(NatBox, AllocatesPortsPreservedRandomOrInSequence) {
  NatBox preserve = make_box({.allocation = PortAllocation::kPreserve});
  EXPECT_EQ(out(preserve, kAlice, kRemote), (Endpoint{kOutside, 7700}));
  NatBox sequential = make_box(
      {.mapping = Mapping::kAddressAndPortDependent, .allocation = PortAllocation::kSequential});
  EXPECT_EQ(out(sequential, kAlice, kRemote)->port, 30'000);
  EXPECT_EQ(out(sequential, kAlice, kRemotePort)->port, 30'001);
  EXPECT_EQ(out(sequential, kAlice, kOther)->port, 30'002);
  NatBox random =
      make_box({.mapping = Mapping::kAddressAndPortDependent, .allocation = PortAllocation::kRandom});
  EXPECT_NE(out(random, kAlice, kRemote)->port + 1, out(random, kAlice, kOther)->port);
}

// RFC 4787 section 4.2.1: what a preserving box does when the port is taken.
TEST(NatBox, PortConflictGivesAnotherPort) {
  NatBox box = make_box({.conflict = PortConflict::kAnotherPort});
  EXPECT_EQ(out(box, kAlice, kRemote)->port, 7700);
  EXPECT_NE(out(box, kBob, kOther)->port, 7700);
}

TEST(NatBox, PortConflictPerRemoteSharesThePortUntilTheRemoteIsTheSame) {
  NatBox box =
      make_box({.mapping = Mapping::kAddressAndPortDependent, .conflict = PortConflict::kPerRemote});
  EXPECT_EQ(out(box, kAlice, kRemote)->port, 7700);
  EXPECT_EQ(out(box, kBob, kOther)->port, 7700);
  EXPECT_NE(out(box, kBob, kRemote)->port, 7700);
}

TEST(NatBox, PortConflictTakeOverLosesTheFirstMapping) {
  NatBox box = make_box({.conflict = PortConflict::kTakeOver});
  out(box, kAlice, kRemote);
  EXPECT_EQ(out(box, kBob, kRemote)->port, 7700);
  Flow flow{kRemote, {kOutside, 7700}};
  EXPECT_EQ(box.inbound(Instant{}, flow), NatVerdict::kForward);
  EXPECT_EQ(flow.target, kBob);
}

TEST(NatBox, PortConflictRefuseDropsTheNewcomer) {
  NatBox box = make_box({.conflict = PortConflict::kRefuse});
  out(box, kAlice, kRemote);
  EXPECT_EQ(out(box, kBob, kRemote), std::nullopt);
}

// RFC 4787 REQ-6: outbound refreshes, inbound may.
TEST(NatBox, MappingTimesOutUnlessRefreshed) {
  NatBox box = make_box({.timeout = 30s});
  const Endpoint outside = *out(box, kAlice, kRemote);
  EXPECT_EQ(in(box, kRemote, outside, 29s), NatVerdict::kForward);
  EXPECT_EQ(in(box, kRemote, outside, 30s), NatVerdict::kNoMapping);
  out(box, kAlice, kRemote, 40s);
  out(box, kAlice, kRemote, 60s);
  EXPECT_EQ(in(box, kRemote, outside, 89s), NatVerdict::kForward);
}

TEST(NatBox, InboundRefreshesWhenToldTo) {
  NatBox box = make_box({.timeout = 30s, .inbound_refreshes = true});
  const Endpoint outside = *out(box, kAlice, kRemote);
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(in(box, kRemote, outside, 20s * i), NatVerdict::kForward);
  }
}

// Linux: udp_timeout until something came back, udp_timeout_stream after.
TEST(NatBox, AnsweredMappingLivesForTheStreamTimeout) {
  NatBox box = make_box({.timeout = 30s, .stream_timeout = 120s, .inbound_refreshes = true});
  const Endpoint outside = *out(box, kAlice, kRemote);
  EXPECT_EQ(in(box, kRemote, outside, 1s), NatVerdict::kForward);
  EXPECT_EQ(in(box, kRemote, outside, 120s), NatVerdict::kForward);
  EXPECT_EQ(in(box, kRemote, outside, 240s), NatVerdict::kNoMapping);
}

TEST(NatBox, PermissionTimesOutWhileTheMappingLives) {
  NatBox box = make_box({.filtering = Filtering::kAddressDependent, .timeout = 30s});
  const Endpoint outside = *out(box, kAlice, kRemote);
  out(box, kAlice, kOther, 20s);
  EXPECT_EQ(in(box, kRemote, outside, 35s), NatVerdict::kFiltered);
  EXPECT_EQ(in(box, kOther, outside, 35s), NatVerdict::kForward);
}

// A carrier NAT whose mappings die at a fixed age whatever flows.
TEST(NatBox, LifetimeEndsAMappingInUse) {
  NatBox box = make_box({.mapping = Mapping::kEndpointIndependent,
                     .allocation = PortAllocation::kRandom,
                     .lifetime = 60s,
                     .inbound_refreshes = true});
  const Endpoint outside = *out(box, kAlice, kRemote);
  for (int i = 1; i < 60; ++i) EXPECT_EQ(out(box, kAlice, kRemote, 1s * i), outside);
  EXPECT_EQ(in(box, kRemote, outside, 60s), NatVerdict::kNoMapping);
  EXPECT_NE(out(box, kAlice, kRemote, 60s), outside);
}

// RFC 4787 section 6, REQ-9: the source seen inside is the outside endpoint.
TEST(NatBox, HairpinTurnsPacketsRoundWithTheOutsideSource) {
  NatBox box = make_box({.filtering = Filtering::kEndpointIndependent, .hairpin = true});
  const Endpoint bob_outside = *out(box, kBob, kRemote);
  Flow flow{kAlice, bob_outside};
  EXPECT_EQ(box.outbound(Instant{}, flow), NatVerdict::kHairpin);
  EXPECT_EQ(flow.target, kBob);
  EXPECT_EQ(flow.source.address, kOutside);
}

TEST(NatBox, WithoutHairpinItsOwnAddressIsUnreachableFromInside) {
  NatBox box = make_box({.filtering = Filtering::kEndpointIndependent});
  Flow flow{kAlice, *out(box, kBob, kRemote)};
  EXPECT_EQ(box.outbound(Instant{}, flow), NatVerdict::kNoHairpin);
}

TEST(NatBox, HairpinIsFilteredLikeAnyInboundPacket) {
  NatBox box = make_box({.filtering = Filtering::kAddressAndPortDependent, .hairpin = true});
  const Endpoint bob_outside = *out(box, kBob, kRemote);
  Flow first{kAlice, bob_outside};
  EXPECT_EQ(box.outbound(Instant{}, first), NatVerdict::kFiltered);
  Flow answer{kBob, *out(box, kAlice, kRemote)};
  EXPECT_EQ(box.outbound(Instant{}, answer), NatVerdict::kHairpin);
}

TEST(NatBox, FlushForgetsEveryMapping) {
  NatBox box = make_box({});
  const Endpoint outside = *out(box, kAlice, kRemote);
  box.flush();
  EXPECT_EQ(in(box, kRemote, outside), NatVerdict::kNoMapping);
}

TEST(NatBox, NewOutsideAddressIsUsedFromThenOn) {
  NatBox box = make_box({});
  out(box, kAlice, kRemote);
  box.set_outside(Address::v4(203, 0, 113, 99));
  EXPECT_EQ(out(box, kAlice, kRemote)->address, Address::v4(203, 0, 113, 99));
}

TEST(NatBox, FirewallKeepsAddressesAndLetsOnlyAnswersIn) {
  NatBox box = make_box(home_box(NatKind::kFirewall));
  const Endpoint host{Address::v4(203, 0, 113, 7), 7700};
  EXPECT_EQ(in(box, kRemote, host), NatVerdict::kNoMapping);
  EXPECT_EQ(out(box, host, kRemote), host);
  EXPECT_EQ(in(box, kRemote, host), NatVerdict::kForward);
  EXPECT_EQ(in(box, kOther, host), NatVerdict::kFiltered);
}

TEST(NatBox, FiltersIpv6WithoutTranslatingIt) {
  NatBox box = make_box(home_box(NatKind::kSymmetric));
  const Endpoint host{*Address::parse("2001:db8:1::2"), 7700};
  const Endpoint remote{*Address::parse("2001:db8:2::2"), 7700};
  EXPECT_EQ(in(box, remote, host), NatVerdict::kNoMapping);
  EXPECT_EQ(out(box, host, remote), host);
  EXPECT_EQ(in(box, remote, host), NatVerdict::kForward);
}

// The Linux trap: what came first from outside holds the reply tuple, and retries prolong it.
TEST(NatBox, LinuxClashMovesTheInsideHostToAnotherPort) {
  NatBox box = make_box(home_box(NatKind::kLinuxclash));
  EXPECT_EQ(in(box, kRemote, {kOutside, 7700}), NatVerdict::kLocal);
  EXPECT_EQ(out(box, kAlice, kOther)->port, 7700);
  EXPECT_NE(out(box, kAlice, kRemote)->port, 7700);
}

TEST(NatBox, LinuxClashIsProlongedByRetriesAndEndsWithoutThem) {
  NatBox box = make_box(home_box(NatKind::kLinuxclash));
  for (int i = 0; i <= 10; ++i) in(box, kRemote, {kOutside, 7700}, 20s * i);
  EXPECT_NE(out(box, kAlice, kRemote, 201s)->port, 7700);
  NatBox quiet = make_box(home_box(NatKind::kLinuxclash));
  in(quiet, kRemote, {kOutside, 7700});
  EXPECT_EQ(out(quiet, kAlice, kRemote, 30s)->port, 7700);
}

TEST(NatBox, LinuxClashDoesNotSpringWhenTheInsideHostWasFirst) {
  NatBox box = make_box(home_box(NatKind::kLinuxclash));
  EXPECT_EQ(out(box, kAlice, kRemote)->port, 7700);
  EXPECT_EQ(in(box, kRemote, {kOutside, 7700}), NatVerdict::kForward);
}

TEST(NatBox, BlockedPassesNothing) {
  NatBox box = make_box(home_box(NatKind::kUdpblocked));
  EXPECT_EQ(out(box, kAlice, kRemote), std::nullopt);
  EXPECT_EQ(in(box, kRemote, {kOutside, 7700}), NatVerdict::kBlocked);
}

TEST(NatBox, SweepsDeadRowsSoThatTheTableStaysBounded) {
  NatBox box = make_box({.mapping = Mapping::kAddressAndPortDependent,
                     .allocation = PortAllocation::kRandom,
                     .timeout = 1s});
  for (int i = 0; i < 20'000; ++i) {
    const auto port = static_cast<std::uint16_t>(1 + i);
    ASSERT_TRUE(out(box, kAlice, {kRemote.address, port}, 10ms * i).has_value());
  }
  EXPECT_LE(box.rows(), 2048U);
}

}  // namespace
}  // namespace ginnel::sim
