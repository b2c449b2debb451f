// Whole nodes on a wire that delays: who joins is let in, is seen, and is reached by name.
#include "node/node.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/reader.h"
#include "node/testing/network.h"

namespace ginnel::node {
namespace {

TEST_F(NodeTest, ANewcomerRedeemsATokenAndIsSeenByTheOthers) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  EXPECT_TRUE(knows(*hub_, "alice"));
  EXPECT_TRUE(kOverlay.contains(alice->node->self().addresses.front()));
}

TEST_F(NodeTest, ATokenIsGoodForOneKeyAndTheSameKeyMayRepeat) {
  const std::string token = hub_->node->invite(wire_.now(), {}).value();
  OwnIdentity first = make_identity(Role::kPeer, identity_.network, rng_);
  const auto once = join(token, first, "alice");
  ASSERT_TRUE(once);
  const auto again = join(token, first, "alice");
  ASSERT_TRUE(again);
  EXPECT_EQ(once->chain, again->chain);
  OwnIdentity second = make_identity(Role::kPeer, identity_.network, rng_);
  const auto other = join(token, second, "bob");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, control::RefusedCode::kTokenUsed);
}

// Otherwise a hub that is killed in between would give the token to a second key.
TEST_F(NodeTest, NobodyIsLetInBeforeTheUsedTokenIsStored) {
  const std::string token = hub_->node->invite(wire_.now(), {}).value();
  OwnIdentity identity = make_identity(Role::kPeer, identity_.network, rng_);
  hub_->disk_stuck = true;
  EXPECT_FALSE(join(token, identity, "alice"));
  hub_->disk_stuck = false;
  EXPECT_TRUE(join(token, identity, "alice"));
}

// docs/wire/ginnel.md section 5, Certificate: "tag count u8 (<= 16), … key text8 (1..64) … at most
// 256 bytes in all". What no certificate can carry is refused before there is a token for it.
TEST_F(NodeTest, TagsThatNoCertificateCarriesAreRefusedAtTheInvitation) {
  std::vector<control::Tag> many;
  for (char c = 'a'; c < 'a' + 17; ++c) many.push_back({std::string(1, c), "1"});
  const std::vector<std::vector<control::Tag>> bad{
      many, {{"", "x"}}, {{std::string(65, 'k'), "x"}}, {{"a", "1"}, {"a", "2"}},
      {{"a", std::string(254, 'v')}}};
  for (const auto& tags : bad) {
    const auto token = hub_->node->invite(wire_.now(), {.tags = tags});
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().code, Errc::kUsage);
  }
  many.pop_back();
  EXPECT_TRUE(hub_->node->invite(wire_.now(), {.tags = many}));
  EXPECT_TRUE(hub_->node->invite(wire_.now(), {.tags = {{"b", "1"}, {"a", "2"}}}));
}

TEST_F(NodeTest, AnExpiredTokenIsRefusedAsSuch) {
  const std::string token = hub_->node->invite(wire_.now(), {.ttl = 1s}).value();
  wire_.run(2s, [] { return false; });
  OwnIdentity late = make_identity(Role::kPeer, identity_.network, rng_);
  const auto outcome = join(token, late, "late");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, control::RefusedCode::kTokenExpired);
}

TEST_F(NodeTest, ATakenNameIsRefused) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(alice);
  const std::string token = hub_->node->invite(wire_.now(), {}).value();
  OwnIdentity thief = make_identity(Role::kPeer, identity_.network, rng_);
  const auto outcome = join(token, thief, "alice");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, control::RefusedCode::kNameTaken);
}

// The session of JOIN is provisional for 5 s at the hub. A node that starts just before it ends
// lost its keys there, and found out 15 s later.
TEST_F(NodeTest, ANodeThatStartsAsItsJoinsSessionEndsIsSeenAtOnce) {
  const auto alice = join_and_start("alice");
  for (const Nanoseconds pause : {4'700ms, 4'800ms, 4'850ms, 4'900ms, 4'950ms, 5'000ms}) {
    const std::string name = "late" + std::to_string(pause / 1ms);
    auto [config, identity] = enrol(name);
    wire_.run(pause, [] { return false; });
    const auto late = start(std::move(config), std::move(identity), next_place(), 5);
    EXPECT_TRUE(wire_.run(1s, [&] { return knows(*alice, name) && knows(*late, "alice"); })) << name;
  }
}

// Whoever lost its side of a session says nothing, as WireGuard does. A HELLO that nobody answers
// is followed by another handshake long before WireGuard's own 15 s.
TEST_F(NodeTest, AHelloThatNobodyAnswersIsFollowedByAnotherHandshake) {
  auto [config, identity] = enrol("bob");
  const auto bob = start(std::move(config), std::move(identity), next_place(), 5);
  bool lost = false;
  int initiations = 0;
  wire_.drop = [&](const Endpoint& from, const Endpoint&) { return lost && from == kHubAt; };
  wire_.tap = [&](const Endpoint& from, const Endpoint&, ConstBytes bytes) {
    if (from != bob->station->at) return;
    const std::uint32_t type = Reader(bytes).u32le();
    if (type == 1) ++initiations;
    if (type == 4) lost = true;  // it has the response; nothing more comes through
  };
  wire_.run(2'900ms, [] { return false; });
  EXPECT_EQ(initiations, 1);
  wire_.run(400ms, [] { return false; });
  EXPECT_EQ(initiations, 2);
}

// Tables F and B: each node measures its links and reports them.
TEST_F(NodeTest, AHubKnowsTheRoundTripOfItsPeersByWhatTheyReport) {
  const auto alice = join_and_start("alice");
  wire_.run(4s, [] { return false; });
  const auto info = hub_->node->peer_info(wire_.now(), alice->node->self().id);
  ASSERT_TRUE(info && info->path.rtt);
  EXPECT_EQ(*info->path.rtt, 50ms);
  wire_.run(60s, [] { return false; });
  EXPECT_EQ(hub_->node->peer_info(wire_.now(), alice->node->self().id)->path.loss, 0.0);
}

TEST_F(NodeTest, ARegistrationThatSaysNothingNewIsToldToNobody) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  wire_.run(5s, [] { return false; });
  bob->events.clear();
  wire_.run(65s, [] { return false; });
  const auto is_about_alice = [&](const Event& event) {
    const auto* changed = std::get_if<PeerChanged>(&event);
    return changed && changed->id == alice->node->self().id;
  };
  EXPECT_EQ(std::ranges::count_if(bob->events, is_about_alice), 0);
}

// Issue point 3: first message to a peer whose row both ends hold within 1.5 R + 5 ms.
TEST_F(NodeTest, TheFirstMessageArrivesWithinOneAndAHalfRoundTrips) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  wire_.run(3s, [] { return false; });
  bob->node->subscribe("chat");
  const Instant start = wire_.now();
  ASSERT_TRUE(alice->node->send(start, "bob", "chat", bytes_of("hello")));
  ASSERT_TRUE(wire_.run(2s, [&] { return !bob->messages.empty(); }));
  EXPECT_LE(wire_.now() - start, 155ms);
  EXPECT_EQ(bob->messages.front(), std::pair(std::string("alice"), std::string("hello")));
}

TEST_F(NodeTest, MessagesArriveInOrderExactlyOnce) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  bob->node->subscribe("chat");
  int sent = 0;
  wire_.drop = [this](const Endpoint&, const Endpoint&) { return rng_.chance(0.05); };
  ASSERT_TRUE(wire_.run(300s, [&] {
    while (sent < 500 &&
           alice->node->send(wire_.now(), "bob", "chat", bytes_of(std::to_string(sent)))) {
      ++sent;
    }
    return bob->messages.size() == 500;
  }));
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(bob->messages[static_cast<std::size_t>(i)].second, std::to_string(i));
  }
}

TEST_F(NodeTest, AnAcknowledgedSendSucceedsWhenAProgramTookIt) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  alice->node->send_acked(wire_.now(), 1, {"bob", "nobody"}, "jobs", bytes_of("x"), 4s);
  wire_.run(1s, [] { return false; });
  EXPECT_TRUE(alice->settled.empty());
  bob->node->subscribe("jobs");
  ASSERT_TRUE(wire_.run(2s, [&] { return !alice->settled.empty(); }));
  EXPECT_FALSE(alice->settled.front().error);
  ASSERT_TRUE(wire_.run(5s, [&] { return alice->settled.size() == 2; }));
  EXPECT_EQ(alice->settled.back().error->code, Errc::kUnknownPeer);
}

// include/ginnel/node.h: in order per (peer, channel). A small message would fit the window that a
// large one before it does not.
TEST_F(NodeTest, AcknowledgedMessagesDoNotOvertakeOneThatWaitsForRoom) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  bob->node->subscribe("jobs");
  const std::string id = alice->node->resolve("bob")->text();
  const std::size_t sizes[] = {700'000, 600'000, 1, 500'000, 2, 1'048'576, 3};
  std::uint64_t call = 0;
  for (const std::size_t size : sizes) {
    const std::string text(size, static_cast<char>('0' + call));
    const std::string peer = call % 2 == 0 ? "bob" : id;  // however it is named
    alice->node->send_acked(wire_.now(), ++call, {peer}, "jobs", bytes_of(text), 30s);
  }
  const auto plain = alice->node->send(wire_.now(), "bob", "jobs", bytes_of("!"));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().code, Errc::kWouldBlock);
  const auto told = [&] {
    return std::ranges::any_of(alice->events, [](const Event& e) {
      const auto* writable = std::get_if<ChannelWritable>(&e);
      return writable && writable->channel == "jobs";
    });
  };
  ASSERT_TRUE(wire_.run(30s, [&] { return alice->settled.size() == 7; }));
  EXPECT_TRUE(told());
  ASSERT_EQ(bob->messages.size(), 7u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_FALSE(alice->settled[i].error);
    EXPECT_EQ(bob->messages[i].second.size(), sizes[i]) << i;
  }
}

TEST_F(NodeTest, MessagesOfBothKindsToANameNotYetKnownKeepTheirOrder) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "hub"); }));
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("0")));
  alice->node->send_acked(wire_.now(), 1, {"bob"}, "chat", bytes_of("1"), 10s);
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("2")));
  const auto bob = join_and_start("bob");
  bob->node->subscribe("chat");
  ASSERT_TRUE(wire_.run(5s, [&] { return bob->messages.size() == 3; }));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(bob->messages[i].second, std::to_string(i));
}

// The session dies of silence and is made again by the first of these messages: what is sent before
// the new HELLO has come is neither lost nor doubled.
TEST_F(NodeTest, MessagesSentWhileASessionIsMadeAgainArrive) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->node->subscribe("chat");
  alice->node->change_settings({.retain = 1h});  // the cut is longer than usual
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("0")));
  ASSERT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
  const Endpoint alice_at = alice->station->at;
  wire_.drop = [&](const Endpoint& from, const Endpoint& to) {
    return from == alice_at || to == alice_at;
  };
  std::size_t sent = 1;
  const auto send_one = [&] {
    if (alice->node->send(wire_.now(), "bob", "chat", bytes_of(std::to_string(sent)))) ++sent;
  };
  send_one();
  wire_.run(300s, [] { return false; });
  wire_.drop = nullptr;
  for (int i = 0; i < 2000; ++i) {
    send_one();
    wire_.run(5ms, [] { return false; });
  }
  ASSERT_TRUE(wire_.run(90s, [&] { return bob->messages.size() >= sent; }));
  wire_.run(30s, [] { return false; });
  ASSERT_EQ(bob->messages.size(), sent);
  for (std::size_t i = 0; i < sent; ++i) EXPECT_EQ(bob->messages[i].second, std::to_string(i));
}

TEST_F(NodeTest, AfterACutMessagesGoOnAsSoonAsThePeerIsHeard) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("0")));
  ASSERT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
  wire_.drop = [](const Endpoint&, const Endpoint&) { return true; };
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("1")));
  wire_.run(20s, [] { return false; });
  wire_.drop = nullptr;
  for (std::uint32_t i = 0; i < 100 && alice->pongs == 0; ++i) {  // whatever comes back does
    (void)alice->node->ping(wire_.now(), "bob", 1, i, 56);
    wire_.run(100ms, [&] { return alice->pongs > 0; });
  }
  ASSERT_GT(alice->pongs, 0);
  EXPECT_TRUE(wire_.run(4 * kLeg, [&] { return bob->messages.size() == 2; }));
}

TEST_F(NodeTest, WithoutASubscriberAnAcknowledgedSendFailsAndIsNeverGivenLater) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  alice->node->send_acked(wire_.now(), 1, {"bob"}, "jobs", bytes_of("x"), 2s);
  ASSERT_TRUE(wire_.run(5s, [&] { return !alice->settled.empty(); }));
  EXPECT_EQ(alice->settled.front().error->code, Errc::kNoSubscriber);
  wire_.run(1s, [] { return false; });
  bob->node->subscribe("jobs");
  wire_.run(1s, [] { return false; });
  EXPECT_TRUE(bob->messages.empty());
}

TEST_F(NodeTest, AMessageToANameNotYetKnownWaitsForIt) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "hub"); }));
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("early")));
  const auto bob = join_and_start("bob");
  bob->node->subscribe("chat");
  EXPECT_TRUE(wire_.run(5s, [&] { return !bob->messages.empty(); }));
}

// facts of NAT traversal: a far hub must not keep a node from its network.
TEST_F(NodeTest, AHubThatAnswersLateIsStillAHub) {
  wire_.extra_delay = [this](const Endpoint& from, const Endpoint&) {
    return from == kHubAt ? Nanoseconds(200ms) : 0ns;
  };
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  EXPECT_TRUE(wire_.run(5s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
}

TEST_F(NodeTest, PingAnswersOverTheRelay) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  ASSERT_TRUE(alice->node->ping(wire_.now(), "bob", 1, 1, 56));
  EXPECT_TRUE(wire_.run(2s, [&] { return alice->pongs == 1; }));
}

// Issue point 4: hub restarted: peers back within 3 s; hub killed: no session lost.
TEST_F(NodeTest, AHubThatRestartsCallsItsPeers) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  const Stored stored{hub_->disk["pins"], hub_->disk["revocations"], hub_->disk["tokens"],
                      hub_->disk["peers"]};
  hub_->station->down = true;
  wire_.run(30s, [] { return false; });
  hub_ = start_hub(identity_, 2, stored);
  EXPECT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice") && knows(*hub_, "bob"); }));
}

TEST_F(NodeTest, ARevokedPeerIsShutOutWithinFiveSeconds) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("one")));
  ASSERT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
  ASSERT_TRUE(hub_->node->revoke(wire_.now(), "alice"));
  ASSERT_TRUE(wire_.run(5s, [&] { return !bob->node->resolve("alice"); }));
  (void)alice->node->send(wire_.now(), "bob", "chat", bytes_of("two"));
  wire_.run(10s, [] { return false; });
  EXPECT_EQ(bob->messages.size(), 1u);
  EXPECT_FALSE(knows(*hub_, "alice"));
}

TEST_F(NodeTest, APeerThatFallsSilentIsSeenAsDown) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->station->down = true;
  EXPECT_TRUE(wire_.run(5s + 500ms, [&] { return !knows(*alice, "bob"); }));
}

TEST_F(NodeTest, WhoLeavesIsGoneAtOnce) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  bob->node->leave(wire_.now());
  EXPECT_TRUE(wire_.run(500ms, [&] { return !knows(*alice, "bob"); }));
}

TEST_F(NodeTest, IpPacketsTravelAndForeignSourcesAreDropped) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  const auto packet = [&](const Address& from) {
    ByteVector out(28);
    out[0] = std::byte{0x45};
    out[3] = std::byte{28};
    std::ranges::copy(from.wire(), out.begin() + 12);
    std::ranges::copy(bob->node->self().addresses[0].wire(), out.begin() + 16);
    return out;
  };
  const auto received = [&] {
    return std::ranges::count_if(bob->events, [](const Event& e) {
      return std::holds_alternative<TunPacket>(e);
    });
  };
  alice->node->handle_tun_packet(wire_.now(), packet(alice->node->self().addresses[0]));
  ASSERT_TRUE(wire_.run(2s, [&] { return received() == 1; }));
  alice->node->handle_tun_packet(wire_.now(), packet(Address::v4(10, 66, 9, 9)));
  wire_.run(1s, [] { return false; });
  EXPECT_EQ(received(), 1);
}

// docs/design.md section 4: "A name or overlay address stays with whom it was first seen with."
TEST_F(NodeTest, AStockPeersWidePrefixIsNotLentTheAddressOfANodeThatIsAway) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice"); }));
  StockPeer site;
  site.name = "site";
  site.key = crypto::public_of(crypto::SessionSecret::generate(rng_));
  site.allowed = {kOverlay};
  ASSERT_TRUE(hub_->node->add_stock_peer(wire_.now(), site));
  const auto peer_of = [&](const Address& address) {
    const forward::ForwardingTable table(hub_->node->forwarding_table());
    const auto* to = table.route(address);
    return to ? to->peer.value() : 0;
  };
  const Address nobodys = *Address::parse("10.66.9.9");
  const Address hers = alice->node->self().addresses[0];
  EXPECT_NE(peer_of(nobodys), 0u);
  EXPECT_NE(peer_of(hers), 0u);
  EXPECT_NE(peer_of(hers), peer_of(nobodys));
  wire_.run(1s, [] { return false; });
  alice->node->leave(wire_.now());
  wire_.run(2 * kLeg, [] { return false; });
  alice->station->down = true;
  wire_.run(10s, [] { return false; });
  EXPECT_EQ(peer_of(hers), 0u);
}

}  // namespace
}  // namespace ginnel::node
