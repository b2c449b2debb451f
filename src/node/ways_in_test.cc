// Who is let in by a list of Ids; whom a node talks to by itself; and a session key that changes
// while messages flow.
#include "node/testing/network.h"

namespace ginnel::node {
namespace {

class WaysIn : public NodeTest {
 protected:
  std::shared_ptr<Running> start_with(const std::string& name,
                                      const std::function<void(Config&)>& change) {
    auto [config, identity] = enrol(name);
    change(config);
    return start(std::move(config), std::move(identity), next_place(), 5);
  }
  void wait(Nanoseconds time) {
    wire_.run(time, [] { return false; });
  }
  static bool was_told(const Running& who, std::string_view code) {
    return std::ranges::any_of(who.events, [&](const Event& event) {
      const auto* notice = std::get_if<Notice>(&event);
      return notice && notice->code == code;
    });
  }
  static bool has_rotated(const Running& who) {
    return std::ranges::any_of(who.events, [](const Event& event) {
      const auto* rotated = std::get_if<KeyRotated>(&event);
      return rotated && !rotated->error;
    });
  }
  void rotate(Running& who) {
    const auto before = who.node->self().session_key;
    ASSERT_TRUE(who.node->rotate_session_key(wire_.now(), crypto::SessionSecret::generate(rng_)));
    ASSERT_TRUE(wire_.run(3s, [&] { return has_rotated(who); }));
    EXPECT_NE(who.node->self().session_key, before);
  }
  // Alice sends one message each 100 ms; each arrives at Bob once and in order.
  void expect_flow(Running& alice, Running& bob, int count, int rotate_at, Running& who) {
    bob.node->subscribe("flow");
    for (int i = 0; i < count; ++i) {
      if (i == rotate_at) rotate(who);
      const std::string text = std::to_string(i);
      ASSERT_TRUE(alice.node->send(wire_.now(), "bob", "flow", bytes_of(text)));
      wait(100ms);
    }
    const auto all = static_cast<std::size_t>(count);
    EXPECT_TRUE(wire_.run(5s, [&] { return bob.messages.size() >= all; }));
    ASSERT_EQ(bob.messages.size(), all);
    for (std::size_t i = 0; i < all; ++i) EXPECT_EQ(bob.messages[i].second, std::to_string(i));
  }
};

// --- network.allow

TEST_F(WaysIn, AHubWithAListRefusesWhoIsNotOnItUntilTheListChanges) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  const auto attached = [&] { return alice->node->has_all_hubs() && bob->node->has_all_hubs(); };
  ASSERT_TRUE(wire_.run(3s, [&] { return attached() && knows(*alice, "bob"); }));
  const Id alices = alice->node->self().id, bobs = bob->node->self().id;
  hub_->node->set_allowed(wire_.now(), std::vector{alices});
  wait(15s);
  EXPECT_TRUE(knows(*hub_, "alice"));
  EXPECT_EQ(hub_->node->resolve("bob").error().code, Errc::kDenied);
  EXPECT_TRUE(was_told(*bob, "E_DENIED"));
  EXPECT_TRUE(was_told(*hub_, "E_DENIED"));
  EXPECT_FALSE(knows(*alice, "bob"));
  hub_->node->set_allowed(wire_.now(), std::vector{alices, bobs});
  EXPECT_TRUE(wire_.run(10s, [&] { return knows(*hub_, "bob") && knows(*alice, "bob"); }));
}

// Without its hub a node is in no network, so that one need not be on the list.
TEST_F(WaysIn, APeerWithAnEmptyListTalksToItsHubAndToNobodyElse) {
  const auto bob = start_with("bob", [](Config& config) { config.allow.emplace(); });
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "bob") && knows(*alice, "bob"); }));
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("hi")));
  wait(5s);
  EXPECT_TRUE(bob->messages.empty());
  EXPECT_TRUE(was_told(*bob, "E_DENIED"));
  EXPECT_TRUE(was_told(*alice, "E_DENIED"));
  EXPECT_EQ(bob->node->resolve("alice").error().code, Errc::kDenied);
  ASSERT_TRUE(hub_->node->send(wire_.now(), "bob", "chat", bytes_of("from the hub")));
  EXPECT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
}

// --- network.connect, network.when_hubs_lost

TEST_F(WaysIn, EagerNodesAreAllConnectedBeforeThereIsTraffic) {
  std::vector<std::shared_ptr<Running>> nodes;
  for (const char* name : {"a", "b", "c", "d"}) {
    nodes.push_back(start_with(name, [](Config& config) { config.connect_eagerly = true; }));
  }
  const auto all_connected = [&] {
    return std::ranges::all_of(nodes, [&](const auto& node) {
      const auto peers = node->node->status(wire_.now()).peers;
      return peers.size() == 4 && std::ranges::all_of(peers, [](const PeerInfo& peer) {
               return peer.path.kind != PathKind::kNone;
             });
    });
  };
  EXPECT_TRUE(wire_.run(5s, all_connected));
  wait(400s);  // longer than any key pair lives: they are renewed without traffic
  EXPECT_TRUE(all_connected());
}

TEST_F(WaysIn, WithoutAHubAStoppedNodeMovesNothingAndThenGoesOn) {
  const auto alice = start_with("alice", [](Config& config) { config.stop_without_hubs = true; });
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  alice->node->subscribe("chat");
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("before")));
  ASSERT_TRUE(bob->node->send(wire_.now(), "alice", "chat", bytes_of("before")));
  ASSERT_TRUE(
      wire_.run(3s, [&] { return bob->messages.size() == 1 && alice->messages.size() == 1; }));
  wait(3s);
  hub_->station->down = true;
  wait(15s);
  EXPECT_TRUE(was_told(*alice, "E_HUB_UNREACHABLE"));
  (void)alice->node->send(wire_.now(), "bob", "chat", bytes_of("during"));
  (void)bob->node->send(wire_.now(), "alice", "chat", bytes_of("during"));
  wait(10s);
  EXPECT_EQ(bob->messages.size(), 1u);
  EXPECT_EQ(alice->messages.size(), 1u);
  hub_->station->down = false;
  EXPECT_TRUE(
      wire_.run(20s, [&] { return bob->messages.size() == 2 && alice->messages.size() == 2; }));
}

// --- key rotate

TEST_F(WaysIn, MessagesFlowOnWhileTheirSenderRenewsItsSessionKey) {
  const auto fast = [](Config& config) { config.rekey_after = 3s; };
  const auto alice = start_with("alice", fast);
  const auto bob = start_with("bob", fast);
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  const Id before = alice->node->self().id;
  expect_flow(*alice, *bob, 150, 20, *alice);
  EXPECT_EQ(alice->node->self().id, before);
  EXPECT_TRUE(knows(*bob, "alice"));
  EXPECT_EQ(alice->disk.at("rotation").size(),
            crypto::kKeyBytes + alice->node->self().chain.size());
}

TEST_F(WaysIn, MessagesFlowOnWhileTheirReceiverRenewsItsSessionKey) {
  const auto fast = [](Config& config) { config.rekey_after = 3s; };
  const auto alice = start_with("alice", fast);
  const auto bob = start_with("bob", fast);
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  expect_flow(*alice, *bob, 150, 20, *bob);
}

TEST_F(WaysIn, AHubRenewsItsSessionKeyAndItsPeersStay) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  expect_flow(*alice, *bob, 50, 10, *hub_);
  wait(300s);  // longer than a key pair lives
  EXPECT_TRUE(alice->node->has_all_hubs());
  EXPECT_TRUE(knows(*alice, "bob"));
  const auto carol = join_and_start("carol");
  EXPECT_TRUE(wire_.run(3s, [&] { return knows(*alice, "carol"); }));
}

TEST_F(WaysIn, ARotationThatIsNotStoredDoesNotHappen) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return alice->node->has_all_hubs(); }));
  const auto before = alice->node->self().session_key;
  alice->disk_stuck = true;
  ASSERT_TRUE(alice->node->rotate_session_key(wire_.now(), crypto::SessionSecret::generate(rng_)));
  wait(15s);
  EXPECT_EQ(alice->node->self().session_key, before);
  EXPECT_FALSE(has_rotated(*alice));
  EXPECT_TRUE(knows(*hub_, "alice"));
}

TEST_F(WaysIn, WithoutAHubAPeersNewKeyCannotBeCertified) {
  const auto alice = join_and_start("alice");
  const auto done =
      alice->node->rotate_session_key(wire_.now(), crypto::SessionSecret::generate(rng_));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kHubUnreachable);
}

// Who rotates a key away because somebody else has it shuts that one out.
TEST_F(WaysIn, ACertificateOfTheKeyBeforeIsRefused) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return alice->node->has_all_hubs(); }));
  OwnIdentity stolen = alice->identity.clone();
  rotate(*alice);
  wait(2s);
  Config config = alice->config;
  const auto thief = start(std::move(config), std::move(stolen), next_place(), 9);
  wait(10s);
  EXPECT_FALSE(thief->node->has_all_hubs());
  EXPECT_TRUE(was_told(*thief, "E_DENIED"));
  EXPECT_TRUE(knows(*hub_, "alice"));
  EXPECT_TRUE(alice->node->has_all_hubs());
}

}  // namespace
}  // namespace ginnel::node
