// One node behind a NAT that is a few lines, and the hubs' real STUN servers.
#include "node/nat_discovery.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "proto/stun/binding_server.h"

namespace ginnel::node {
namespace {

using stun::Filtering;
using stun::Mapping;
using stun::ServerPort;

const Endpoint kAskedHub = *Endpoint::parse("203.0.113.2:7700");
const Endpoint kHubProbe = *Endpoint::parse("203.0.113.2:7701");
const Endpoint kOtherHub = *Endpoint::parse("198.51.100.2:7700");
const Address kPrivate = *Address::parse("192.168.1.2");
const Address kOutside = *Address::parse("198.51.100.77");
constexpr std::uint16_t kPort = 4000;
constexpr std::uint16_t kSecondPort = 4001;

struct Nat {
  bool translates = true;
  bool port_per_target = false;  // symmetric
  bool filters = true;           // by address and port
  bool udp = true;
};

class NatDiscoveryTest : public ::testing::Test {
 protected:
  static constexpr Nanoseconds kEntryLife = 30s;  // nf_conntrack_udp_timeout

  void SetUp() override { discovery_.set_own({nat_.translates ? kPrivate : kOutside}, kPort); }
  void behind(const Nat& nat) {
    nat_ = nat;
    SetUp();
    discovery_.set_servers(now_, {{kAskedHub, kHubProbe.port}});
  }
  void run(Nanoseconds time) {
    const Instant end = now_ + time;
    for (;;) {
      std::array<std::byte, 1500> slot{};
      while (const auto out = discovery_.poll_transmit(now_, slot)) {
        ++asked_[out->to];
        if (nat_.udp) send(out->path, out->to, Bytes(slot).first(out->size));
      }
      const auto next = discovery_.next_timeout();
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      discovery_.handle_timeout(now_);
    }
    now_ = end;
  }

  bool lives(const std::map<Endpoint, Instant>& table, const Endpoint& key) const {
    const auto it = table.find(key);
    return it != table.end() && now_ - it->second < kEntryLife;
  }
  Endpoint outside_of(PathId socket, const Endpoint& target) {
    if (socket == kProbeSocket) return {kOutside, kSecondPort};
    if (!nat_.translates) return {kOutside, kPort};
    if (!nat_.port_per_target) return {kOutside, kPort};
    if (!ports_.contains(target))
      ports_[target] = static_cast<std::uint16_t>(50'000 + ports_.size());
    return {kOutside, ports_[target]};
  }
  void send(PathId socket, const Endpoint& to, Bytes request) {
    const Endpoint from = outside_of(socket, to);
    auto& open = open_[socket];
    open[to] = now_;
    stun::BindingServer& server = to.address == kAskedHub.address ? hub_ : other_hub_;
    std::array<std::byte, 1500> out{};
    const auto port = to.port == kHubProbe.port ? ServerPort::kProbe : ServerPort::kMain;
    const auto answer = server.handle_request(now_, from, port, request, out);
    if (!answer) return;
    const Endpoint source{to.address,
                          answer->from == ServerPort::kProbe ? kHubProbe.port : kAskedHub.port};
    if (nat_.filters && !lives(open, source)) return unsolicited_.insert(socket), void();
    now_ = now_ + 1ms;
    EXPECT_TRUE(discovery_.handle_answer(now_, socket, source, Bytes(out).first(answer->size)));
  }

  Instant now_{1'000'000'000};
  Nat nat_;
  std::map<PathId, std::map<Endpoint, Instant>> open_;  // by socket and target: our last packet
  std::set<PathId> unsolicited_;  // sockets whose mapping was sent to from elsewhere
  std::map<Endpoint, std::uint16_t> ports_;
  std::map<Endpoint, int> asked_;
  stun::BindingServer hub_{{.address = kAskedHub.address, .main_port = 7700, .probe_port = 7701}};
  stun::BindingServer other_hub_{{.address = kOtherHub.address, .main_port = 7700}};
  NatDiscovery discovery_{Rng::from_seed(7)};
};

TEST_F(NatDiscoveryTest, APortRestrictedConeIsToldByOneHub) {
  behind({});
  run(3s);
  EXPECT_EQ(discovery_.nat(), (stun::NatClass{Mapping::kEim, Filtering::kApdf}));
  EXPECT_EQ(discovery_.mapped(), (std::vector<Endpoint>{{kOutside, kPort}}));
  EXPECT_TRUE(discovery_.poll_event());
}

TEST_F(NatDiscoveryTest, AFilterThatIgnoresPortsIsNotCalledPortDependent) {
  behind({.filters = false});
  run(3s);
  EXPECT_EQ(discovery_.nat(), (stun::NatClass{Mapping::kEim, Filtering::kUnknown}));
}

TEST_F(NatDiscoveryTest, ASymmetricNatIsToldAndStaysOne) {
  behind({.port_per_target = true});
  run(3s);
  EXPECT_EQ(discovery_.nat(), (stun::NatClass{Mapping::kApdm, Filtering::kApdf}));
  run(3min);
  EXPECT_EQ(discovery_.nat().mapping, Mapping::kApdm);
}

TEST_F(NatDiscoveryTest, APublicAddressBehindAFirewallIsNoTranslation) {
  behind({.translates = false});
  run(3s);
  EXPECT_EQ(discovery_.nat(), (stun::NatClass{Mapping::kNone, Filtering::kApdf}));
}

// The Linux trap: a packet that comes unsolicited may take the port that ours would have got.
TEST_F(NatDiscoveryTest, NothingUnsolicitedIsEverAskedForOnTheMainSocket) {
  behind({});
  run(1h);
  EXPECT_EQ(unsolicited_, std::set<PathId>{kProbeSocket});
}

TEST_F(NatDiscoveryTest, TwoHubsWithoutProbePortsCompareTheirViews) {
  nat_ = {.port_per_target = true};
  SetUp();
  discovery_.set_servers(now_, {{kAskedHub, 0}, {kOtherHub, 0}});
  run(3s);
  EXPECT_EQ(discovery_.nat().mapping, Mapping::kApdm);
  EXPECT_EQ(discovery_.mapped().size(), 2u);
}

TEST_F(NatDiscoveryTest, SilenceEverywhereMeansUdpIsBlockedAndIsAskedAgain) {
  behind({.udp = false});
  run(1s);
  EXPECT_FALSE(discovery_.udp_blocked());
  run(2s);
  EXPECT_TRUE(discovery_.udp_blocked());
  nat_.udp = true;
  run(NatDiscovery::kSilentAgain + 3s);
  EXPECT_FALSE(discovery_.udp_blocked());
  EXPECT_EQ(discovery_.nat().mapping, Mapping::kEim);
}

TEST_F(NatDiscoveryTest, AnotherNetworkIsAnotherNat) {
  behind({.port_per_target = true});
  run(3s);
  nat_ = {.translates = false, .filters = false};
  discovery_.set_own({kOutside}, kPort);
  open_.clear();
  discovery_.network_changed(now_);
  run(3s);
  EXPECT_EQ(discovery_.nat().mapping, Mapping::kNone);
}

TEST_F(NatDiscoveryTest, ItIsAskedSlowlyEverAfter) {
  behind({});
  run(3s);
  asked_.clear();
  run(1h);
  const int per_run = 1 + NatDiscovery::kTries;  // main, and change-port that is not answered
  EXPECT_EQ(asked_[kAskedHub], 5 * per_run);
  EXPECT_EQ(asked_[kHubProbe], 5);
  EXPECT_EQ(discovery_.nat().filtering, Filtering::kApdf);
}

TEST_F(NatDiscoveryTest, AnAnswerFromElsewhereOrToAnotherQuestionIsNotTaken) {
  discovery_.set_servers(now_, {{kAskedHub, 0}});
  std::array<std::byte, 1500> slot{};
  std::array<std::byte, 1500> out{};
  const auto request = discovery_.poll_transmit(now_, slot);
  ASSERT_TRUE(request);
  const auto answer = hub_.handle_request(now_, {kOutside, 9}, ServerPort::kMain,
                                          Bytes(slot).first(request->size), out);
  const Bytes bytes = Bytes(out).first(answer->size);
  EXPECT_FALSE(discovery_.handle_answer(now_, kSocket, kOtherHub, bytes));
  out[8] ^= std::byte{1};  // the transaction
  EXPECT_FALSE(discovery_.handle_answer(now_, kSocket, kAskedHub, bytes));
  out[8] ^= std::byte{1};
  EXPECT_TRUE(discovery_.handle_answer(now_, kSocket, kAskedHub, bytes));
  EXPECT_FALSE(discovery_.handle_answer(now_, kSocket, kAskedHub, bytes));
}

}  // namespace
}  // namespace ginnel::node
