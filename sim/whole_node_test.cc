// Whole nodes behind NATs: who joins, how fast the first message is, and what survives when hubs and
// paths go. Each node is 12.5 ms from the internet: R = 100 ms peer-hub-peer and back, r = 50 ms
// peer-peer and back.
#include <gtest/gtest.h>

#include "sim/ledger.h"
#include "sim/network.h"

namespace ginnel::sim {
namespace {

constexpr Nanoseconds kLeg = 12'500us;
constexpr Nanoseconds kHubRoundTrip = 8 * kLeg;   // R
constexpr Nanoseconds kPeerRoundTrip = 4 * kLeg;  // r

// The programs: everything that came, and the ledger that knows what should.
struct Inbox : Programs {
  struct Item {
    Instant at;
    MachineId to;
    MachineId from;
    std::string text;
  };
  explicit Inbox(World& w) : world(w), ledger(w) { world.watch(ledger); }
  void message(MachineId at, MachineId from, const std::string& channel, ConstBytes bytes) override {
    ledger.received(from, at, channel, bytes);
    items.push_back({world.now(), at, from, std::string(text_of(bytes))});
  }
  void packet(MachineId at, ConstBytes) override { ++packets[at]; }
  void settled(MachineId, const node::AckSettled& what) override {
    what.error ? ++failed : ++acknowledged;
  }

  World& world;
  Ledger ledger;
  std::vector<Item> items;
  std::map<MachineId, int> packets;
  int acknowledged = 0;
  int failed = 0;
};

// A hub, and peers at sites of any kind.
struct Town {
  explicit Town(std::uint64_t seed = 1)
      : world({.seed = seed, .trace_entries = 0, .hash_payloads = false}),
        places(world),
        inbox(world),
        network(world, inbox) {
    hub = network.add_hub("hub", places, places.add_site(NatKind::kOpen, {.wan = leg(kLeg)}));
    world.run_for(100ms);
  }
  static LinkPair leg(Nanoseconds delay) { return both({.delay = delay}); }
  MachineId add(const std::string& name, NatKind kind, Nanoseconds delay = kLeg) {
    return network.add_peer(name, places, places.add_site(kind, {.wan = leg(delay)}));
  }
  bool settle() {
    return network.wait(10s, [&] { return network.all_know_each_other(); });
  }
  void send(MachineId from, MachineId to, const std::string& text) {
    if (network.send(from, to, "chat", bytes_of(text))) {
      inbox.ledger.sent(from, to, "chat", bytes_of(text));
    } else {
      ADD_FAILURE() << "not taken: " << text;
    }
  }
  // How long the first message takes; nullopt: longer than 5 s.
  std::optional<Nanoseconds> first_message(MachineId from, MachineId to) {
    const Instant start = world.now();
    const std::size_t before = inbox.items.size();
    send(from, to, "first");
    if (!network.wait(5s, [&] { return inbox.items.size() > before; })) return std::nullopt;
    return inbox.items.back().at - start;
  }
  bool is_direct(MachineId a, MachineId b) {
    const auto direct = [](PathKind kind) {
      return kind == PathKind::kLan || kind == PathKind::kDirect || kind == PathKind::kPunched;
    };
    return direct(network.path(a, b)) && direct(network.path(b, a));
  }

  World world;
  Places places;
  Inbox inbox;
  Network network;
  MachineId hub;
};

TEST(WholeNode, JoinsByTokenFromBehindEveryKindOfNat) {
  Town town;
  std::vector<MachineId> peers;
  for (const NatKind kind :
       {NatKind::kOpen, NatKind::kFirewall, NatKind::kFullcone, NatKind::kRestricted,
        NatKind::kPortrestricted, NatKind::kLinuxclash, NatKind::kSymmetric, NatKind::kSymseq,
        NatKind::kCgnat, NatKind::kCgnatsym, NatKind::kSamelan, NatKind::kCgnatpair}) {
    peers.push_back(town.add("behind-" + std::string(nat_name(kind)), kind));
  }
  ASSERT_TRUE(town.settle());
  for (const MachineId from : peers) {
    for (const MachineId to : peers) {
      if (from != to) town.send(from, to, "hello");
    }
  }
  town.world.run_for(5s);
  EXPECT_EQ(town.inbox.items.size(), peers.size() * (peers.size() - 1));
  EXPECT_TRUE(town.world.finish()) << town.world.failure_report("");
}

// Issue point 3: first message to a peer whose row both ends hold within 1.5 R + 5 ms.
TEST(WholeNode, FirstMessageToAKnownPeerTakesOneAndAHalfRoundTrips) {
  Town town;
  const MachineId alice = town.add("alice", NatKind::kPortrestricted);
  const MachineId bob = town.add("bob", NatKind::kSymmetric);
  ASSERT_TRUE(town.settle());
  town.world.run_for(3s);
  const auto took = town.first_message(alice, bob);
  ASSERT_TRUE(took);
  EXPECT_LE(*took, kHubRoundTrip * 3 / 2 + 5ms);
}

}  // namespace
}  // namespace ginnel::sim
