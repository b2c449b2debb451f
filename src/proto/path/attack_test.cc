// What a hub or a peer achieves that wants to aim us at a victim, or itself in between. The cases
// are those that docs/testing.md lists.
#include <gtest/gtest.h>

#include "proto/path/testing/nat_world.h"

namespace ginnel::path {
namespace {

using namespace testing;

ByteVector frame_body(const auto& body) {
  ByteVector out(1500);
  out.resize(body.write(out));
  return out;
}

// Case 1: a hub forges an introduction with an attacker's address. Nothing is bound to it, since
// only who has the session's keys can answer, and it costs at most 20 packets.
TEST(Attack, ForgedIntroductionBindsNobodyToTheAttackersAddress) {
  const Endpoint attacker = *Endpoint::parse("198.51.100.66:6666");
  World world;
  world.a.behind({});
  world.b.behind({});
  world.a.knows_peer = false;
  world.lose = [&](const Site& from, ConstBytes) { return &from == &world.b; };
  world.start(false);
  world.a.agent->set_remote_candidates(world.now, {{CandidateKind::kServerReflexive, attacker}});
  for (std::uint32_t second = 0; second < 55; ++second) {
    world.talk(world.a, 100ms, 1s);
    const ProbeAnswer guess{.transaction = second, .sequence = second, .observed = world.a.host};
    EXPECT_FALSE(world.a.agent->handle_probe_answer(world.now, kSocket, attacker, frame_body(guess)));
    ASSERT_FALSE(world.a.is_direct());
  }
  EXPECT_GT(world.a.probes_to[attacker], 0u);
  EXPECT_LE(world.a.probes_to[attacker], 20u);
}

// Case 2: a call-me-maybe that lists sixteen victims draws at most 32 small packets, 4 kB.
TEST(Attack, OneCallThatNamesManyVictimsCostsThemLittleTogether) {
  ProbeBudget budget({});
  Agent agent({}, {}, budget, Rng::from_seed(1));
  agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}});
  CallMeMaybe call{.transaction = 5, .primed = true};
  for (std::uint8_t i = 1; i <= kCandidatesMax; ++i) {
    call.candidates.push_back({CandidateKind::kServerReflexive, {Address::v4(192, 0, 2, i), 4000}});
  }
  ASSERT_TRUE(agent.handle_call_me_maybe({}, frame_body(call)));
  std::size_t packets = 0;
  std::size_t bytes = 0;
  for (Instant now; now.ns < 5'000'000'000; now = now + 10ms) {
    agent.handle_timeout(now);
    ByteVector slot(2000);
    while (const auto t = agent.poll_transmit(now, slot)) {
      if (t->path != kSocket) continue;
      ++packets;
      bytes += (t->size + 15) / 16 * 16 + 60;  // padded, sealed, UDP and IPv4
    }
  }
  EXPECT_GT(packets, kCandidatesMax);  // each was primed, some were probed
  EXPECT_LE(packets, Agent::kIntroductionPacketsMax);
  EXPECT_LE(bytes, Agent::kIntroductionBytesMax);
}

// Case 16: addresses that no peer has, in whatever form; our own; more than there is room for.
TEST(Attack, CandidatesThatNoPeerHasDrawNoPacket) {
  ProbeBudget budget({});
  Agent agent({}, {}, budget, Rng::from_seed(1));
  agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}});
  const Endpoint own = *Endpoint::parse("192.168.1.2:7700");
  agent.set_local_candidates({}, {{CandidateKind::kHost, own}}, {});
  CallMeMaybe call{.transaction = 5, .primed = true};
  for (const char* text : {"0.0.0.0:7700", "127.0.0.1:7700", "169.254.169.254:80", "224.0.0.1:7700",
                           "255.255.255.255:7700", "198.51.100.7:0", "198.51.100.7:53",
                           "198.51.100.7:25", "[::ffff:127.0.0.1]:7700", "[::ffff:0.0.0.0]:7700",
                           "[::1]:7700", "[ff02::1]:7700", "[::c000:201]:7700"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    call.candidates.push_back({CandidateKind::kServerReflexive, *endpoint});
  }
  call.candidates.push_back({CandidateKind::kHost, own});
  ASSERT_TRUE(agent.handle_call_me_maybe({}, frame_body(call)));
  for (Instant now; now.ns < 5'000'000'000; now = now + 10ms) {
    agent.handle_timeout(now);
    ByteVector slot(2000);
    while (const auto t = agent.poll_transmit(now, slot)) {
      EXPECT_NE(t->path, kSocket) << t->to.text();
    }
  }
}

// Case 16: the same address written as IPv4 and as IPv6 is one address to the filter.
TEST(Attack, AnIpv4AddressInIpv6ClothesIsStillChecked) {
  ByteVector body = frame_body(CallMeMaybe{
      .transaction = 5,
      .candidates = {{CandidateKind::kServerReflexive, {Address::v4(127, 0, 0, 1), 7700}}}});
  const auto parsed = CallMeMaybe::parse(body);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->candidates.size(), 1u);
  EXPECT_TRUE(parsed->candidates[0].endpoint.address.is_loopback());
  EXPECT_FALSE(CandidateFilter().acceptable(parsed->candidates[0].endpoint));
}

}  // namespace
}  // namespace ginnel::path
