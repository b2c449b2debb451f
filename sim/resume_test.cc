// Machines that sleep, and receivers that move: who must speak first so that the other side knows.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/network.h"

namespace ginnel::sim {
namespace {

constexpr Nanoseconds kHop = 12'500us;
constexpr Nanoseconds kEvery = 20ms;  // of the talker's packets

// Packets that arrive, which nobody answers: what a listener sends, its node sends on its own.
struct Arrivals : Programs {
  explicit Arrivals(World& w) : world(w) {}
  void message(MachineId, MachineId, const std::string&, ConstBytes) override {}
  void settled(MachineId, const node::AckSettled&) override {}
  void packet(MachineId at, ConstBytes) override {
    last[at] = world.now();
    ++count[at];
  }
  World& world;
  std::map<MachineId, Instant> last;
  std::map<MachineId, int> count;
};

// A hub, a talker, and a listener that never answers.
struct Hamlet {
  explicit Hamlet(NatKind kind)
      : world({.seed = 7, .trace_entries = 0, .hash_payloads = false}),
        places(world),
        arrivals(world),
        network(world, arrivals) {
    hub = network.add_hub("hub", places, site(NatKind::kOpen));
    world.run_for(100ms);
    talker = network.add_peer("talker", places, site(kind));
    listener = network.add_peer("listener", places, site(kind));
    EXPECT_TRUE(network.wait(10s, [&] { return network.all_know_each_other(); }));
    talk(10s);
  }
  Site site(NatKind kind) { return places.add_site(kind, {.wan = both({.delay = kHop})}); }

  // An IPv4 packet from the talker to the listener. One that finds no way is lost.
  void speak() {
    ByteVector packet(28);
    packet[0] = std::byte{0x45};
    packet[3] = std::byte{28};
    packet[9] = std::byte{253};  // RFC 3692: for experiments
    std::ranges::copy(network.overlay(talker)->wire(), packet.begin() + 12);
    std::ranges::copy(network.overlay(listener)->wire(), packet.begin() + 16);
    (void)network.send_packet(talker, packet);
  }
  void talk(Nanoseconds span) {
    const Instant end = world.now() + span;
    while (world.now() < end) {
      speak();
      world.run_for(kEvery);
    }
  }
  // From now until the listener hears something; nullopt: not within `patience`.
  std::optional<Nanoseconds> stall(Nanoseconds patience) {
    const Instant start = world.now();
    world.run_for(2 * kHop);  // what was on the way
    const int before = arrivals.count[listener];
    while (world.now() - start < patience) {
      speak();
      world.run_for(kEvery);
      if (arrivals.count[listener] > before) return arrivals.last[listener] - start;
    }
    return std::nullopt;
  }
  void move_listener(NatKind kind) {
    world.detach(world.machine(listener).attachments().front());
    places.put(listener, site(kind));
  }

  World world;
  Places places;
  Arrivals arrivals;
  Network network;
  MachineId hub;
  MachineId talker;
  MachineId listener;
};

// "Roaming of a peer that only receives": nothing it would send anyway tells where it is now.
TEST(Resume, AListenerThatRoamsIsReachedWithinASecondOnItsDirectPath) {
  Hamlet hamlet(NatKind::kPortrestricted);
  ASSERT_EQ(hamlet.network.path(hamlet.talker, hamlet.listener), PathKind::kPunched);
  hamlet.move_listener(NatKind::kPortrestricted);
  const auto took = hamlet.stall(10s);
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1s);
}
TEST(Resume, AListenerThatRoamsIsReachedWithinASecondByTheRelay) {
  Hamlet hamlet(NatKind::kSymmetric);
  ASSERT_EQ(hamlet.network.path(hamlet.talker, hamlet.listener), PathKind::kRelayUdp);
  hamlet.move_listener(NatKind::kSymmetric);
  const auto took = hamlet.stall(10s);
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1s);
}
TEST(Resume, AListenerThatSleptAMinuteIsReachedWithinASecondOfItsWaking) {
  for (const NatKind kind : {NatKind::kPortrestricted, NatKind::kSymmetric}) {
    Hamlet hamlet(kind);
    hamlet.world.suspend(hamlet.listener);
    hamlet.talk(60s);
    hamlet.world.resume(hamlet.listener);
    const auto took = hamlet.stall(10s);
    ASSERT_TRUE(took);
    EXPECT_LE(*took, 1s);
  }
}
TEST(Resume, ATalkerThatSleptAMinuteIsHeardWithinASecondOfItsWaking) {
  for (const NatKind kind : {NatKind::kPortrestricted, NatKind::kSymmetric}) {
    Hamlet hamlet(kind);
    hamlet.world.suspend(hamlet.talker);
    hamlet.world.run_for(60s);
    hamlet.world.resume(hamlet.talker);
    const auto took = hamlet.stall(10s);
    ASSERT_TRUE(took);
    EXPECT_LE(*took, 1s);
  }
}

}  // namespace
}  // namespace ginnel::sim
