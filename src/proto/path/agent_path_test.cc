// Life after the introduction: death and return, hysteresis, roaming, what an attacker may achieve.
#include <gtest/gtest.h>

#include "proto/path/testing/nat_world.h"

namespace ginnel::path {
namespace {

using namespace testing;

// Two port-restricted sites, direct with each other.
struct Direct : World {
  Direct() {
    a.behind({});
    b.behind({});
    start();
    run_for(350ms);
    EXPECT_TRUE(a.is_direct() && b.is_direct());
  }
  Nanoseconds until(const std::function<bool()>& done, Site& talker, Nanoseconds most = 10s) {
    const Instant from = now;
    while (!done() && now - from < most) talk(talker, 50ms, 50ms);
    return now - from;
  }
};

ByteVector framed(const auto& body) {
  ByteVector out(1500);
  out.resize(write_frame(body, out));
  return out;
}
ByteVector body_of(const auto& body) {
  ByteVector out(1500);
  out.resize(body.write(out));
  return out;
}

TEST(Agent, UsesTheRelayBeforeAnythingElseIsKnown) {
  World world;
  world.a.behind({});
  world.b.behind({});
  world.start();
  EXPECT_EQ(world.a.agent->kind(), PathKind::kRelayUdp);
  EXPECT_EQ(world.a.agent->reason(), Reason::kProbing);
}

TEST(Agent, PunchedPathIsCalledPunchedAndHasNoReasonAgainstIt) {
  Direct world;
  EXPECT_EQ(world.a.agent->kind(), PathKind::kPunched);
  EXPECT_EQ(world.a.agent->reason(), Reason::kOk);
  EXPECT_EQ(world.a.agent->rtt(), 50ms);
}

TEST(Agent, OnlyOneSideWantingItMakesBothDirect) {
  World world;
  world.a.behind({});
  world.b.behind({});
  world.start(false);
  world.run_for(350ms);
  EXPECT_TRUE(world.a.is_direct());
  EXPECT_TRUE(world.b.is_direct());
}

// Neither table has told anything: the peer's candidates come with its reply.
TEST(Agent, FindsAPeerWhoseCandidatesItDoesNotKnow) {
  World world;
  world.a.behind({.clash = true});
  world.b.behind({.clash = true});
  world.a.knows_peer = world.b.knows_peer = false;
  world.start(false);
  world.run_for(350ms);
  EXPECT_TRUE(world.a.is_direct());
  EXPECT_TRUE(world.b.is_direct());
}

TEST(Agent, LostCallIsRepeated) {
  World world;
  world.a.behind({});
  world.b.behind({});
  int left = 1;
  world.lose = [&](const Site&, ConstBytes frame) {
    return frame[0] == std::byte{0x20} && left-- > 0;
  };
  world.start(false);
  world.run_for(350ms);
  EXPECT_FALSE(world.a.is_direct());
  world.run_for(350ms);
  EXPECT_TRUE(world.a.is_direct());
}

TEST(Agent, LossOfAThirdOfAllFramesOnlyDelaysIt) {
  int direct = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    World world;
    world.a.behind({});
    world.b.behind({});
    Rng rng = Rng::from_seed(seed);
    world.lose = [&](const Site&, ConstBytes) { return rng.chance(0.33); };
    world.start();
    world.run_for(2s);
    direct += world.a.first_direct && world.b.first_direct ? 1 : 0;
  }
  EXPECT_GE(direct, 45);
}

// p99 <= 600 ms at 5 % loss.
TEST(Agent, FivePercentLossKeepsItUnderSixHundredMilliseconds) {
  int late = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    World world;
    world.a.behind({});
    world.b.behind({});
    Rng rng = Rng::from_seed(seed);
    world.lose = [&](const Site&, ConstBytes) { return rng.chance(0.05); };
    world.start(false);
    world.run_for(600ms);
    late += world.a.first_direct && world.b.first_direct ? 0 : 1;
  }
  EXPECT_LE(late, 3);
}

TEST(Agent, DuplicatedFramesChangeNothing) {
  World world;
  world.a.behind({});
  world.b.behind({});
  world.duplicate = true;
  world.start();
  world.run_for(350ms);
  EXPECT_TRUE(world.a.is_direct() && world.b.is_direct());
  EXPECT_LE(world.a.calls, 4u);
}

// What was taken once is not taken again.
TEST(Agent, ReplayedCallAndProbeAreDropped) {
  Direct world;
  const CallMeMaybe call{.transaction = 77, .primed = true};
  EXPECT_TRUE(world.a.agent->handle_call_me_maybe(world.now, body_of(call)));
  EXPECT_EQ(world.a.agent->handle_call_me_maybe(world.now, body_of(call)).error(), Drop::kReplayed);
  const Probe probe{.transaction = 78, .sequence = 1, .padding = 19};
  const Endpoint from = world.a.agent->selected()->endpoint;
  EXPECT_TRUE(world.a.agent->handle_probe(world.now, kSocket, from, body_of(probe), 80));
  EXPECT_EQ(world.a.agent->handle_probe(world.now, kSocket, from, body_of(probe), 80).error(),
            Drop::kReplayed);
}

TEST(Agent, AnswersThatNobodyAskedForProveNothing) {
  World world;
  world.a.behind({});
  world.b.behind({});
  world.start(false);
  const Endpoint candidate = world.candidates_of(world.b).back().endpoint;
  const ProbeAnswer forged{.transaction = 1, .sequence = 1, .observed = world.a.host};
  EXPECT_EQ(
      world.a.agent->handle_probe_answer(world.now, kSocket, candidate, body_of(forged)).error(),
      Drop::kUnknownTransaction);
  const Endpoint elsewhere = *Endpoint::parse("198.51.100.99:9");
  EXPECT_EQ(
      world.a.agent->handle_probe_answer(world.now, kSocket, elsewhere, body_of(forged)).error(),
      Drop::kWrongAddress);
  EXPECT_FALSE(world.a.is_direct());
}

// On the relay again within 2 s, both sides.
TEST(Agent, DeadPathIsLeftWithinTwoSecondsAndTakenAgainWithinFive) {
  Direct world;
  world.talk(world.a, 50ms, 5s);
  world.blocked = true;
  EXPECT_LE(world.until([&] { return !world.a.is_direct() && !world.b.is_direct(); }, world.a), 2s);
  EXPECT_EQ(world.a.agent->reason(), Reason::kPathDied);
  const auto lost = [](const Agent::Event& e) { return std::holds_alternative<PathLost>(e); };
  EXPECT_TRUE(std::ranges::any_of(world.a.events, lost));
  world.talk(world.a, 50ms, 40s);
  world.a.probes = world.b.probes = 0;
  world.talk(world.a, 500ms, 60s);
  EXPECT_LE(world.a.probes, 50u);
  EXPECT_LE(world.b.probes, 50u);
  world.blocked = false;
  EXPECT_LE(world.until([&] { return world.a.is_direct() && world.b.is_direct(); }, world.a), 5s);
}

TEST(Agent, DeadPathIsNoticedWhenIdleToo) {
  Direct world;
  world.run_for(20s);
  EXPECT_TRUE(world.a.is_direct());
  world.blocked = true;
  world.run_for(20s);
  EXPECT_FALSE(world.a.is_direct());
}

// The peer still hears us, but what it sends is lost: it must be told, it cannot notice.
TEST(Agent, PathThatIsDeadInOneDirectionIsLeftByBoth) {
  Direct world;
  world.lose = [&](const Site& from, ConstBytes frame) {
    return &from == &world.b && frame[0] != std::byte{0x20} && world.b.is_direct();
  };
  EXPECT_LE(world.until([&] { return !world.a.is_direct() && !world.b.is_direct(); }, world.a), 2s);
}

TEST(Agent, NatThatForgetsItsMappingIsPunchedAgain) {
  Direct world;
  world.a.nats[0]->forget();
  world.b.nats[0]->forget();
  (void)world.until([&] { return !world.a.is_direct(); }, world.a);
  EXPECT_LE(world.until([&] { return world.a.is_direct() && world.b.is_direct(); }, world.a), 5s);
}

TEST(Agent, KeepsAQuietPathAliveForLittle) {
  Direct world;
  world.run_for(10s);
  world.a.probes = world.b.probes = 0;
  world.run_for(120s);
  EXPECT_TRUE(world.a.is_direct() && world.b.is_direct());
  EXPECT_GE(world.a.probes + world.b.probes, 8u);
  EXPECT_LE(world.a.probes + world.b.probes, 40u);  // probes and answers of both
}

TEST(Agent, IdlePeersCostNothing) {
  Direct world;
  world.run_for(700s);
  EXPECT_FALSE(world.a.is_direct() || world.b.is_direct());
  EXPECT_EQ(world.a.agent->reason(), Reason::kIdle);
  world.a.probes = world.b.probes = 0;
  world.run_for(3600s);
  EXPECT_EQ(world.a.probes + world.b.probes, 0u);
  EXPECT_LE(world.until([&] { return world.a.is_direct(); }, world.a), 400ms);
}

// At most one switch per 10 s under +-20 % noise.
TEST(Agent, DoesNotFlapBetweenPathsThatAreAlike) {
  World world;
  const auto address = [](std::uint8_t last) { return Address::v4(203, 0, 113, last); };
  world.a.host = {address(50), 4000};
  world.b.host = {address(60), 5000};
  world.a.subnet = Prefix::host(address(50));
  world.b.subnet = Prefix::host(address(60));
  Rng rng = Rng::from_seed(5);
  world.jitter = [&] { return rng.between(0ms, 10ms); };
  world.start();
  // A second address of b: what is sent there arrives too, as an answer from there.
  world.run_for(1s);
  ASSERT_TRUE(world.a.is_direct());
  const Endpoint second{address(61), 5000};
  Agent& a = *world.a.agent;
  a.handle_authenticated(world.now, kSocket, second);
  for (int round = 0; round < 600; ++round) {
    world.talk(world.a, 500ms, 500ms);
    ByteVector slot(2000);
    a.handle_timeout(world.now);
    while (const auto t = a.poll_transmit(world.now, slot)) {
      const auto probe = Probe::parse(ConstBytes(slot).subspan(3, t->size - 3));
      if (slot[0] != std::byte{0x21} || !probe || t->path != kSocket) continue;
      const Instant later = world.now + rng.between(40ms, 60ms);
      const ProbeAnswer answer{.transaction = probe->transaction, .sequence = probe->sequence};
      (void)a.handle_probe_answer(later, kSocket, t->to, body_of(answer));
      world.now = later;
    }
  }
  EXPECT_TRUE(world.a.is_direct());
  EXPECT_LE(world.a.direct_selections, 31u);
}

TEST(Agent, PrefersTheLanAndSaysSo) {
  World world;
  world.b.subnet = world.a.subnet;
  world.b.host = {Address::v4(192, 168, 1, 3), 5000};
  world.a.behind({});
  world.b.nats = world.a.nats;  // hairpin off: the public address leads nowhere
  world.start();
  world.run_for(350ms);
  EXPECT_EQ(world.a.agent->kind(), PathKind::kLan);
  EXPECT_EQ(world.a.agent->selected()->endpoint, world.b.host);
}

// Both LANs are 192.168.1.0/24, and somebody else has the peer's private address.
TEST(Agent, WrongHostAtThePeersPrivateAddressIsNeverSelected) {
  World world;
  world.b.subnet = world.a.subnet;
  world.b.host = {Address::v4(192, 168, 1, 3), 5000};
  world.a.behind({});
  world.b.behind({});
  world.start();
  world.run_for(3s);
  ASSERT_TRUE(world.a.is_direct());
  EXPECT_EQ(world.a.agent->kind(), PathKind::kPunched);
  EXPECT_GT(world.a.probes_to[world.b.host], 0u);
  EXPECT_LE(world.a.probes_to[world.b.host], 5u);
}

TEST(Agent, PublicAddressOfThePeerIsCalledDirect) {
  World world;
  world.a.behind({});
  world.b.host = {Address::v4(203, 0, 113, 60), 5000};
  world.b.subnet = Prefix::host(world.b.host.address);
  world.start();
  world.run_for(350ms);
  EXPECT_EQ(world.a.agent->kind(), PathKind::kDirect);
}

// A captured valid packet, raced from another address.
TEST(Agent, PacketFromANewAddressDoesNotMoveThePath) {
  Direct world;
  const auto before = world.a.agent->selected();
  const Endpoint attacker = *Endpoint::parse("198.51.100.66:6666");
  world.a.agent->handle_authenticated(world.now, kSocket, attacker);
  EXPECT_EQ(world.a.agent->selected(), before);
  world.run_for(5s);
  EXPECT_EQ(world.a.agent->selected(), before);
  EXPECT_GT(world.a.probes_to[attacker], 0u);  // it was asked, and could not answer
  EXPECT_LE(world.a.probes_to[attacker], 10u);
}

TEST(Agent, WithoutAnyPathItAnswersToWhereThePacketCameFrom) {
  ProbeBudget budget({});
  Agent agent({}, {}, budget, Rng::from_seed(1));
  const Endpoint from = *Endpoint::parse("198.51.100.66:6666");
  agent.handle_authenticated({}, kSocket, from);
  ASSERT_TRUE(agent.selected());
  EXPECT_EQ(agent.selected()->endpoint, from);
  agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}});
  EXPECT_EQ(agent.kind(), PathKind::kRelayUdp);  // not proven, so the relay is better
}

TEST(Agent, RoamingNodeIsBackDirectWithinASecond) {
  Direct world;
  world.a.nats.clear();
  world.a.behind({});
  world.a.nats[0] = std::make_shared<Nat>(Address::v4(198, 51, 100, 99), NatOptions{});
  world.a.agent->network_changed(world.now);
  world.a.agent->set_local_candidates(world.now, world.candidates_of(world.a), {});
  const auto moved = [&] {
    return world.a.is_direct() && world.b.is_direct() &&
           world.b.agent->selected()->endpoint.address == Address::v4(198, 51, 100, 99);
  };
  EXPECT_LE(world.until(moved, world.a), 1s);
}

TEST(Agent, NetworkChangeThatChangedNothingCostsNoPath) {
  Direct world;
  world.a.events.clear();
  world.a.agent->network_changed(world.now);
  world.run_for(2s);
  EXPECT_TRUE(world.a.is_direct());
  const auto moved = [](const Agent::Event& e) {
    return std::holds_alternative<PathLost>(e) || std::holds_alternative<PathSelected>(e);
  };
  EXPECT_FALSE(std::ranges::any_of(world.a.events, moved));
}

TEST(Agent, SilentRelayIsReplacedByOneThatSpeaks) {
  ProbeBudget budget({});
  Agent agent({}, {}, budget, Rng::from_seed(1));
  constexpr PathId kOther{2};
  agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}, {.path = kOther, .endpoint = kHub}});
  EXPECT_EQ(agent.selected()->path, kRelay);
  for (Instant now; now.ns < 2'000'000'000; now = now + 100ms) {
    agent.want_direct(now);
    agent.handle_sent(now, agent.selected()->path, kHub);
    agent.handle_authenticated(now, kOther, kHub);
    agent.handle_timeout(now);
  }
  EXPECT_EQ(agent.selected()->path, kOther);
}

TEST(Agent, LosingItsLastPathIsSaid) {
  ProbeBudget budget({});
  Agent agent({}, {}, budget, Rng::from_seed(1));
  agent.set_relays({}, {{.path = kRelay, .endpoint = kHub, .stream = true}});
  EXPECT_EQ(agent.kind(), PathKind::kRelayTcp);
  agent.relay_lost({}, kRelay);
  EXPECT_EQ(agent.kind(), PathKind::kNone);
  EXPECT_EQ(agent.reason(), Reason::kNoPath);
}

TEST(Agent, ConfirmsTheLargestPacketThatPasses) {
  for (const std::size_t mtu : {1500u, 1420u, 1300u}) {
    World world;
    world.a.behind({});
    world.b.behind({});
    world.path_mtu = mtu;
    world.start();
    world.run_for(5s);
    EXPECT_EQ(world.a.agent->mtu_bytes(), mtu == 1500 ? 1500u : mtu == 1420 ? 1400u : 1280u);
    EXPECT_TRUE(world.a.is_direct());
  }
}

TEST(Agent, FullSizePacketsThatVanishLowerTheMtu) {
  Direct world;
  world.run_for(2s);
  ASSERT_EQ(world.a.agent->mtu_bytes(), 1500u);
  world.path_mtu = 1450;
  world.a.agent->packet_too_large(world.now, kSocket, world.a.agent->selected()->endpoint, 1500);
  world.run_for(2s);
  EXPECT_EQ(world.a.agent->mtu_bytes(), 1400u);
}

TEST(Agent, SwitchedOffItNeitherCallsNorPrimes) {
  World world;
  world.a.behind({});
  world.b.behind({});
  world.a.config.punch = false;
  world.start();
  world.run_for(5s);
  EXPECT_EQ(world.a.calls, 0u);
  EXPECT_EQ(world.a.probes, 0u);
  EXPECT_EQ(world.a.agent->reason(), Reason::kPunchDisabled);
  EXPECT_EQ(world.b.agent->reason(), Reason::kPeerSilent);
}

// An introduction full of victims.
TEST(Agent, OneIntroductionSendsLittleToAddressesThatDoNotAnswer) {
  World world;
  world.a.behind({});
  world.b.behind({});
  for (std::uint8_t i = 0; i < 14; ++i) {
    world.b.extra.push_back({CandidateKind::kServerReflexive, {Address::v4(192, 0, 2, i), 9999}});
  }
  world.lose = [&](const Site& from, ConstBytes) { return &from == &world.b; };
  world.start(false);
  world.run_for(3500ms);
  EXPECT_LE(world.a.probes, Agent::kIntroductionPacketsMax);
  for (const auto& [to, count] : world.a.probes_to) EXPECT_LE(count, 5u) << to.text();
}

TEST(Agent, TenIntroductionsThatNameOneVictimCostItNoMoreThanTheCap) {
  ProbeBudget budget({});
  const Address victim = Address::v4(192, 0, 2, 1);
  std::size_t sent = 0;
  for (std::uint16_t i = 0; i < 10; ++i) {
    Agent agent({}, {}, budget, Rng::from_seed(i));
    agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}});
    const auto port = static_cast<std::uint16_t>(4000 + i);
    const CallMeMaybe call{.transaction = 5,
                           .primed = true,
                           .candidates = {{CandidateKind::kServerReflexive, {victim, port}}}};
    ASSERT_TRUE(agent.handle_call_me_maybe({}, body_of(call)));
    for (Instant now; now.ns < 3'000'000'000; now = now + 10ms) {
      agent.handle_timeout(now);
      ByteVector slot(2000);
      while (const auto t = agent.poll_transmit(now, slot)) sent += t->path == kSocket ? 1 : 0;
    }
  }
  EXPECT_LE(sent, ProbeBudget::kPerSilentAddress);
  EXPECT_GT(sent, 0u);
}

TEST(Agent, AnswerIsNeverLargerThanItsProbe) {
  World world;
  world.a.behind({});
  world.b.behind({});
  std::size_t smallest_probe = 10000;
  std::size_t largest_answer = 0;
  world.lose = [&](const Site&, ConstBytes frame) {
    if (frame[0] == std::byte{0x21}) smallest_probe = std::min(smallest_probe, frame.size());
    if (frame[0] == std::byte{0x22}) largest_answer = std::max(largest_answer, frame.size());
    return false;
  };
  world.start();
  world.run_for(2s);
  EXPECT_GT(largest_answer, 0u);
  EXPECT_LE(largest_answer, smallest_probe);
}

TEST(Agent, AttemptsTellWhatWasTriedAndWhy) {
  World world;
  world.a.behind({.mapping = Mapping::kApdm});
  world.b.behind({.mapping = Mapping::kApdm});
  world.start();
  world.run_for(5s);
  const auto attempts = world.a.agent->attempts();
  ASSERT_EQ(attempts.size(), 3u);  // host, reflexive, relay
  EXPECT_EQ(attempts.back().kind, PathKind::kRelayUdp);
  EXPECT_EQ(attempts.back().result, AttemptResult::kSelected);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(attempts[i].reason, Reason::kSymmetricBoth);
    EXPECT_NE(attempts[i].local.port, 0);
    EXPECT_FALSE(reason_fix(attempts[i].reason).empty());
  }
}

TEST(Agent, FrameOfAStrangerToTheFormatChangesNothing) {
  Direct world;
  const auto before = world.a.agent->selected();
  const ByteVector garbage(40, std::byte{0xff});
  EXPECT_FALSE(world.a.agent->handle_call_me_maybe(world.now, garbage));
  EXPECT_FALSE(world.a.agent->handle_probe(world.now, kSocket, before->endpoint, garbage, 40));
  EXPECT_FALSE(world.a.agent->handle_probe_answer(world.now, kSocket, before->endpoint, garbage));
  EXPECT_EQ(world.a.agent->selected(), before);
}

TEST(Agent, ProbesFromManyAddressesKeepItBounded) {
  Direct world;
  const auto before = world.a.agent->selected();
  for (std::uint16_t i = 1; i < 1000; ++i) {
    const Probe probe{.transaction = i, .sequence = 1, .padding = 19};
    const Endpoint from{
        Address::v4(198, 18, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)),
        4000};
    world.deliver(world.a, kSocket, from, framed(probe), 80);
  }
  EXPECT_LE(world.a.agent->attempts().size(), Agent::kPairsMax + 1);
  EXPECT_EQ(world.a.agent->selected(), before);
}

}  // namespace
}  // namespace ginnel::path
