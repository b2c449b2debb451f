// Hole punching as a whole: two peers that know each other's outside endpoint send at each other.
// The outcome for every pair of NAT kinds must be the one measured with the kernel's NATs, or the
// presets would teach the path core the wrong thing.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/classifier.h"
#include "sim/machine.h"
#include "sim/places.h"

namespace ginnel::sim {
namespace {

constexpr std::uint16_t kPunchPort = 7700;
constexpr std::byte kPing{0xa1};
constexpr std::byte kPong{0xa2};

// Learns its outside endpoint from the server, then sends a ping every 20 ms to the candidates and
// to wherever a ping came from (peer-reflexive). Every letter carries who wrote it: with the same
// private addresses at both sites a peer reaches itself.
class Puncher : public LetterHost {
 public:
  explicit Puncher(std::byte name) : LetterHost(kPunchPort), name_(name) {}

  void ask(const Endpoint& server) { send({.to = server, .bytes = {std::byte{0}, std::byte{0}}}); }
  void prime(const std::vector<Endpoint>& candidates) {
    for (const Endpoint& to : candidates) send({.to = to, .bytes = {kPing, name_}, .ttl = 2});
  }
  void punch(Instant now, const std::vector<Endpoint>& candidates) {
    candidates_.insert(candidates_.end(), candidates.begin(), candidates.end());
    next_ = now;
    end_ = now + 1s;
  }

  void handle_datagram(const Clock&, const Arrival& arrival, Bytes bytes) override {
    if (bytes.size() == 19) {
      outside_.address = Address::from_wire(bytes.subspan(1, 16));
      outside_.port = static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[17]) << 8 |
                                                 std::to_integer<unsigned>(bytes[18]));
    } else if (bytes[1] == name_) {
      return;
    } else if (bytes[0] == kPing) {
      send({.to = arrival.from, .bytes = {kPong, name_}});
      if (std::ranges::find(candidates_, arrival.from) == candidates_.end()) {
        candidates_.push_back(arrival.from);
      }
    } else if (bytes[0] == kPong) {
      confirmed_ = true;
    }
  }
  void handle_timeout(const Clock& clock) override {
    for (const Endpoint& to : candidates_) send({.to = to, .bytes = {kPing, name_}});
    next_ = clock.now + 20ms;
    if (*next_ > end_) next_.reset();
  }
  std::optional<Instant> next_timeout() const override { return next_; }

  std::vector<Endpoint> candidates() { return {outside_, {machine().addresses()[0], kPunchPort}}; }
  bool confirmed() const { return confirmed_; }

 private:
  std::byte name_;
  Endpoint outside_;
  std::vector<Endpoint> candidates_;
  std::optional<Instant> next_;
  Instant end_{};
  bool confirmed_ = false;
};

// Two peers and the server that shows them their outside endpoints.
struct Pair {
  World world{{.seed = 4}};
  Places places{world};
  MachineId server = world.add_machine("server", std::make_unique<ObservingServer>());
  MachineId a = world.add_machine("a", std::make_unique<Puncher>(std::byte{'a'}));
  MachineId b = world.add_machine("b", std::make_unique<Puncher>(std::byte{'b'}));
  SiteOptions far{.wan = both({.delay = 10ms})};

  Puncher& host(MachineId id) { return world.host<Puncher>(id); }

  void start() {
    places.put(server, places.add_site(NatKind::kOpen, far));
    for (const MachineId id : {server, a, b}) world.start(id);
    for (const MachineId id : {a, b}) {
      host(id).ask({world.machine(server).addresses()[0], ObservingServer::kPort});
      world.poke(id);
    }
    world.run_for(200ms);
  }
  void prime(MachineId id, MachineId other) {
    host(id).prime(host(other).candidates());
    world.poke(id);
  }
  void punch(MachineId id, MachineId other) {
    host(id).punch(world.now(), host(other).candidates());
    world.poke(id);
  }
  bool confirmed() { return host(a).confirmed() && host(b).confirmed(); }
};

enum class Prime { kNo, kYes };

// `b` is told 200 ms after `a`, so that a Linux trap on b's side springs.
bool connects(NatKind kind_a, NatKind kind_b, Prime prime) {
  Pair pair;
  pair.places.put(pair.a, pair.places.add_site(kind_a, pair.far));
  pair.places.put(pair.b, pair.places.add_site(kind_b, pair.far));
  pair.start();
  if (prime == Prime::kYes) {
    pair.prime(pair.a, pair.b);
    pair.prime(pair.b, pair.a);
    pair.world.run_for(100ms);
  }
  pair.punch(pair.a, pair.b);
  pair.world.run_for(200ms);
  pair.punch(pair.b, pair.a);
  pair.world.run_for(2s);
  return pair.confirmed();
}

constexpr std::array kKinds = {NatKind::kOpen,       NatKind::kFirewall,       NatKind::kFullcone,
                               NatKind::kRestricted, NatKind::kPortrestricted, NatKind::kSymmetric,
                               NatKind::kSymseq,     NatKind::kCgnat,          NatKind::kCgnatsym,
                               NatKind::kUdpblocked, NatKind::kLinuxclash};

// Row: the peer told first; column: the other. `+` punching connects, `t` only with priming by low
// TTL, `-` not without prediction, search or relay.
constexpr std::array<std::string_view, kKinds.size()> kMeasured = {
    // op fw fc re pr sy sq cg cs ub lc
    "+++++++++-+",  // open
    "+++++--+--t",  // firewall
    "+++++++++-+",  // fullcone
    "+++++++++-+",  // restricted
    "+++++--+--t",  // portrestricted
    "+-++------ ",  // symmetric
    "+-++------ ",  // symseq
    "+++++--+--t",  // cgnat
    "+-++------ ",  // cgnatsym
    "-----------",  // udpblocked
    "          t",  // linuxclash
};

TEST(Punching, ConnectsThePairsThatItConnectsOnRealNats) {
  for (std::size_t row = 0; row < kKinds.size(); ++row) {
    for (std::size_t column = 0; column < kKinds.size(); ++column) {
      const char expected = kMeasured[row][column];
      if (expected == ' ') continue;
      const bool plain = connects(kKinds[row], kKinds[column], Prime::kNo);
      EXPECT_EQ(plain, expected == '+')
          << nat_name(kKinds[row]) << " x " << nat_name(kKinds[column]);
    }
  }
}

TEST(Punching, PrimingWithALowTtlAvoidsTheLinuxTrap) {
  for (std::size_t row = 0; row < kKinds.size(); ++row) {
    for (std::size_t column = 0; column < kKinds.size(); ++column) {
      if (kMeasured[row][column] != 't') continue;
      EXPECT_TRUE(connects(kKinds[row], kKinds[column], Prime::kYes))
          << nat_name(kKinds[row]) << " x " << nat_name(kKinds[column]);
    }
  }
}

// Two peers at one site: by their private addresses, or by their outside ones alone.
bool connects_at(NatKind kind, bool private_too, std::size_t home_of_b) {
  Pair pair;
  const Site site = pair.places.add_site(kind, pair.far);
  pair.places.put(pair.a, site);
  pair.places.put(pair.b, site, {.home = home_of_b});
  pair.start();
  for (const auto& [id, other] : {std::pair(pair.a, pair.b), std::pair(pair.b, pair.a)}) {
    std::vector<Endpoint> candidates = pair.host(other).candidates();
    if (!private_too) candidates.resize(1);
    pair.host(id).punch(pair.world.now(), candidates);
    pair.world.poke(id);
  }
  pair.world.run_for(2s);
  return pair.confirmed();
}

TEST(Punching, PeersOnOneLanNeedThePrivateAddressUnlessTheBoxHairpins) {
  EXPECT_TRUE(connects_at(NatKind::kSamelan, true, 0));
  EXPECT_FALSE(connects_at(NatKind::kSamelan, false, 0));
  EXPECT_TRUE(connects_at(NatKind::kSamelanhp, false, 0));
}

TEST(Punching, TwoHomesOfOneCarrierWithoutHairpinDoNotConnect) {
  EXPECT_FALSE(connects_at(NatKind::kCgnatpair, true, 1));
}

}  // namespace
}  // namespace ginnel::sim
