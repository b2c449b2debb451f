// Whole nodes and what is around them: NATs, interfaces that change, hubs without a key, hubs that
// move, clocks that are set back.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "node/testing/network.h"

namespace ginnel::node {
namespace {

class NodeHostTest : public NodeTest {
 protected:
  using NodeTest::NodeTest;
  void wait(Nanoseconds time) {
    wire_.run(time, [] { return false; });
  }
  bool attached(const Running& who) { return knows(who, "hub") && online(who); }
  bool online(const Running& who) {
    const auto hubs = who.node->status(wire_.now()).hubs;
    return !hubs.empty() && hubs.front().state == PeerState::kOnline;
  }
  static void interfaces(Running& who, Instant now) {
    const Endpoint& at = who.station->at;
    who.node->set_interfaces(now, {Prefix::make(at.address, 120)}, {at.address}, at.port);
  }
};

// What `status` shows as `nat.mapping` and `nat.filtering`.
TEST_F(NodeHostTest, APeerLearnsFromItsHubWhatStandsInFrontOfIt) {
  std::set<std::pair<Endpoint, Endpoint>> open;
  wire_.drop = [&](const Endpoint& from, const Endpoint& to) {
    open.insert({from, to});
    return from != kHubAt && from.address == kHubAt.address && !open.contains({to, from});
  };
  const auto alice = join_and_start("alice");
  interfaces(*alice, wire_.now());
  wait(4s);
  const stun::NatClass expected{stun::Mapping::kNone, stun::Filtering::kApdf};
  EXPECT_EQ(alice->node->status(wire_.now()).nat, expected);
}

TEST_F(NodeHostTest, APeerOnANewAddressTellsItsHubAtOnce) {
  const auto alice = join_and_start("alice");
  interfaces(*alice, wire_.now());
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice"); }));
  wait(5s);
  alice->station->at.address = Address::v4(192, 0, 2, 77);
  interfaces(*alice, wire_.now());
  const Id id = alice->node->self().id;
  EXPECT_TRUE(wire_.run(500ms, [&] {
    const auto info = hub_->node->peer_info(wire_.now(), id);
    return info && info->path.endpoint == alice->station->at.text();
  }));
}

TEST_F(NodeHostTest, ToldTheSameInterfacesAgainItStaysQuiet) {
  const auto alice = join_and_start("alice");
  interfaces(*alice, wire_.now());
  ASSERT_TRUE(wire_.run(3s, [&] { return attached(*alice); }));
  wait(10s);
  int sent = 0;
  wire_.tap = [&](const Endpoint& from, const Endpoint&, ConstBytes) {
    sent += from == alice->station->at;
  };
  interfaces(*alice, wire_.now());
  wait(100ms);
  EXPECT_LE(sent, 1);  // a heartbeat may fall into the time
}

// docs/wire/ginnel.md section 11.
TEST_F(NodeHostTest, AHubWithoutAKeyIsAskedForItsCertificate) {
  auto [config, identity] = enrol("alice");
  config.hubs = {{std::nullopt, {kHubAt}, "hub.example.net:7700"}};
  const auto alice = start(std::move(config), std::move(identity), next_place(), 5);
  EXPECT_TRUE(wire_.run(1s, [&] { return attached(*alice); }));
}

// docs/wire/ginnel.md section 11: "A chain of another network is wrong network and no handshake
// follows."
TEST_F(NodeHostTest, AHubOfAnotherNetworkGetsNoHandshakeAndIsNamed) {
  auto [config, identity] = enrol("alice");
  hub_->station->down = true;
  identity_ = found_network({"stranger", kOverlay}, rng_, wall()).value();
  hub_ = start_hub(identity_, 1);
  config.hubs = {{std::nullopt, {kHubAt}, "hub.example.net:7700"}};
  const auto alice = start(std::move(config), std::move(identity), next_place(), 5);
  int handshakes = 0;
  wire_.tap = [&](const Endpoint& from, const Endpoint&, ConstBytes bytes) {
    handshakes += from == alice->station->at && bytes[0] == std::byte{1};
  };
  wait(20s);
  const auto hubs = alice->node->status(wire_.now()).hubs;
  ASSERT_EQ(hubs.size(), 1u);
  EXPECT_TRUE(hubs.front().wrong_network);
  EXPECT_EQ(hubs.front().state, PeerState::kDown);
  EXPECT_EQ(handshakes, 0);
  const auto told = std::ranges::count_if(alice->events, [](const Event& event) {
    const auto* notice = std::get_if<Notice>(&event);
    return notice && notice->code == "E_WRONG_NETWORK";
  });
  EXPECT_EQ(told, 1);
}

TEST_F(NodeHostTest, AHubThatWasMadeAnewIsFoundByItsNewKey) {
  auto [config, identity] = enrol("alice");
  config.hubs = {{std::nullopt, {kHubAt}, "hub.example.net:7700"}};
  const auto alice = start(std::move(config), std::move(identity), next_place(), 5);
  ASSERT_TRUE(wire_.run(1s, [&] { return attached(*alice); }));
  // The same network key, but another identity and session key.
  hub_->station->down = true;
  OwnIdentity second = make_identity(Role::kHub, identity_.network, rng_);
  Issuer issuer(identity_.network_key->clone(), kOverlay);
  Trust nobody(identity_.network);
  second.chain = issuer
                     .issue({.role = Role::kHub,
                             .identity = crypto::public_of(second.identity),
                             .session = crypto::public_of(second.session),
                             .name = "hub-two"},
                            nobody, wall())
                     .value();
  hub_ = start_hub(second, 1);
  EXPECT_TRUE(wire_.run(60s, [&] { return knows(*alice, "hub-two") && online(*alice); }));
}

// The driver resolves the name again; the core goes where it means now.
TEST_F(NodeHostTest, AHubThatCameBackElsewhereIsFoundByItsName) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return attached(*alice); }));
  hub_->station->down = true;
  wait(20s);
  EXPECT_FALSE(alice->node->has_all_hubs());
  hub_ = start_hub(identity_, 2);
  hub_->station->at.address = Address::v4(203, 0, 113, 77);
  alice->node->set_hub_endpoints(wire_.now(), 0, {hub_->station->at});
  EXPECT_TRUE(wire_.run(3s, [&] { return attached(*alice); }));
  EXPECT_TRUE(alice->node->has_all_hubs());
}

// Chaos, seed 1 of 10 minutes: a hub that wrote first, through another hub's relay, went on being
// reached that way, and what was sent through it was a relayed packet inside a relayed packet.
TEST_F(NodeHostTest, AHubThatWasAPeerBehindARelayIsReachedItself) {
  auto [config, identity] = enrol("bob");
  const crypto::SessionPublic key = crypto::public_of(identity.session);
  const auto bob = start(std::move(config), std::move(identity), next_place(), 5);
  auto [hers, own] = enrol("alice");
  hers.hubs.push_back({key, {}, "bob.example:7700"});  // its name is not resolved yet
  const auto alice = start(std::move(hers), std::move(own), next_place(), 5);
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  const Endpoint a = alice->station->at, b = bob->station->at;
  wire_.drop = [&](const Endpoint& from, const Endpoint& to) {
    return (from == a && to.address == b.address) || (from == b && to.address == a.address);
  };
  alice->node->subscribe("chat");
  ASSERT_TRUE(bob->node->send(wire_.now(), "alice", "chat", bytes_of("hi")));
  ASSERT_TRUE(wire_.run(3s, [&] { return !alice->messages.empty(); }));
  const auto path = [&] {
    return alice->node->peer_info(wire_.now(), bob->node->self().id)->path;
  };
  ASSERT_EQ(path().kind, PathKind::kRelayUdp);
  alice->node->set_hub_endpoints(wire_.now(), 1, {b});
  wait(1s);
  EXPECT_EQ(path().endpoint, b.text());
}

TEST_F(NodeHostTest, AHubMayStandInTheListWithSeveralAddresses) {
  auto [config, identity] = enrol("alice");
  const auto key = config.hubs.front().key;
  const Endpoint dead{Address::v4(203, 0, 113, 99), 7700};
  config.hubs = {{key, {kHubAt}}, {key, {dead}}};
  const auto alice = start(std::move(config), std::move(identity), next_place(), 5);
  EXPECT_TRUE(wire_.run(3s, [&] { return attached(*alice); }));
}

// WireGuard paper, section 5.1: an initiation must be newer than the last one of its sender.
TEST_F(NodeHostTest, AClockThatWasSetBackLocksNobodyOut) {
  auto [config, identity] = enrol("alice");
  const Endpoint at = next_place();
  const auto before = start(config, identity.clone(), at, 5);
  ASSERT_TRUE(wire_.run(3s, [&] { return attached(*before); }));
  wait(1s);
  before->station->down = true;
  const Stored stored{{}, {}, {}, {}, before->disk["handshakes"]};
  clock_error_ = -200s;
  const auto after = start(std::move(config), std::move(identity), at, 6, stored);
  EXPECT_TRUE(wire_.run(3s, [&] { return attached(*after); }));
}

// WireGuard paper, section 5.1: the greatest timestamp per initiator is kept, so that a captured
// initiation cannot be replayed; here also after the responder has restarted.
TEST_F(NodeHostTest, AnInitiationFromBeforeTheRestartIsAReplayAfterIt) {
  ByteVector captured;
  int responses = 0;
  wire_.tap = [&](const Endpoint& from, const Endpoint& to, ConstBytes bytes) {
    if (to == kHubAt && from.port == 4000 && bytes[0] == std::byte{1}) captured = to_vector(bytes);
    responses += from == kHubAt && bytes[0] == std::byte{2};
  };
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return attached(*alice); }));
  wait(1s);
  ASSERT_FALSE(captured.empty());
  alice->station->down = hub_->station->down = true;
  const auto restart = [&](const ByteVector& handshakes) {
    responses = 0;
    const Stored stored{hub_->disk["pins"], {}, {}, {}, handshakes};
    const auto hub = start_hub(identity_, 2, stored);
    const ByteVector again = captured;  // `tap` writes to the other one
    wire_.send(alice->station->at, kHubAt, again);
    wait(200ms);
    hub->station->down = true;
    return responses;
  };
  EXPECT_EQ(restart(hub_->disk["handshakes"]), 0);
  EXPECT_EQ(restart({}), 1);  // what would happen without the memory
}

class LoopbackTest : public NodeHostTest {
 protected:
  LoopbackTest() : NodeHostTest({Address::v4(127, 0, 0, 1), 7700}) {}
};

// Many nodes on one host: their hub is at a loopback address, and so are they for each other.
TEST_F(LoopbackTest, TwoNodesOfOneHostGoDirect) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("hello")));
  const Id id = bob->node->self().id;
  EXPECT_TRUE(wire_.run(3s, [&] {
    const auto info = alice->node->peer_info(wire_.now(), id);
    return info && info->path.kind == PathKind::kLan;
  }));
  for (const Attempt& attempt : alice->node->why(wire_.now(), id)) EXPECT_EQ(attempt.fix, "");
}

TEST_F(NodeHostTest, ALoopbackAddressIsNoWayWhereTheHubIsElsewhere) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  alice->node->set_interfaces(wire_.now(), {}, {Address::v4(127, 0, 0, 1)}, 4001);
  bob->node->set_interfaces(wire_.now(), {}, {Address::v4(127, 0, 0, 1)}, 4002);
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bool to_loopback = false;
  wire_.tap = [&](const Endpoint&, const Endpoint& to, ConstBytes) {
    to_loopback = to_loopback || to.address.is_loopback();
  };
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("hello")));
  wait(10s);
  EXPECT_FALSE(to_loopback);
}

}  // namespace
}  // namespace ginnel::node
