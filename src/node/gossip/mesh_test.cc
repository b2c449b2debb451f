// Gossip between whole nodes, over their sessions.
#include <gtest/gtest.h>

#include "node/testing/network.h"

namespace ginnel::node {
namespace {

class MeshTest : public NodeTest {
 protected:
  MeshTest() { gossip_ = swim::Config::lan(); }

  using Nodes = std::vector<std::shared_ptr<Running>>;

  Nodes start_peers(std::size_t count) {
    Nodes out{hub_};
    for (std::size_t i = 1; i <= count; ++i) out.push_back(join_and_start("p" + std::to_string(i)));
    return out;
  }
  static std::size_t alive(const Running& node) {
    return node.node->gossip_agent()->swim().alive_count();
  }
  bool converge(const Nodes& nodes, Nanoseconds limit = 60s) {
    return wire_.run(limit, [&] {
      return std::ranges::all_of(nodes, [&](const auto& n) { return alive(*n) == nodes.size(); });
    });
  }
  static std::optional<swim::State> state(const Running& at, const std::string& of) {
    const auto member = at.node->gossip_agent()->member(of);
    return member ? std::optional(member->state) : std::nullopt;
  }
  template <class E>
  static std::vector<E> told(const Running& node) {
    std::vector<E> out;
    for (const Event& event : node.events) {
      const auto* gossiped = std::get_if<Gossiped>(&event);
      const auto* serf = gossiped ? std::get_if<swim::serf::SerfEvent>(&gossiped->event) : nullptr;
      const auto* e = serf ? std::get_if<E>(serf) : nullptr;
      if (e) out.push_back(*e);
    }
    return out;
  }
  // Datagrams that go from a peer's address to another peer's, past the hub.
  void count_direct() {
    wire_.tap = [this](const Endpoint& from, const Endpoint& to, ConstBytes) {
      const auto is_peer = [this](const Endpoint& at) { return at.address != kHubAt.address; };
      if (is_peer(from) && is_peer(to)) ++direct_;
    };
  }
  int direct_ = 0;
};

TEST_F(MeshTest, AllNodesBecomeMembersWithTheirNamesAddressesAndRoles) {
  const Nodes nodes = start_peers(3);
  ASSERT_TRUE(converge(nodes, 10s));
  for (const auto& node : nodes) {
    const auto hub = node->node->gossip_agent()->member("hub");
    ASSERT_TRUE(hub);
    EXPECT_EQ(hub->endpoint.address, hub_->node->self().addresses.back());
    EXPECT_EQ(swim::serf::decode_tags(hub->meta)->at("role"), "hub");
    const auto peer = node->node->gossip_agent()->member("p1");
    EXPECT_EQ(swim::serf::decode_tags(peer->meta)->at("role"), "peer");
  }
}

// docs/wire/ginnel.md section 15, "No use of a path".
TEST_F(MeshTest, GossipStartsNoPunchingAndAMessageDoes) {
  count_direct();
  const Nodes nodes = start_peers(4);
  ASSERT_TRUE(converge(nodes));
  wire_.run(300s, [] { return false; });
  EXPECT_EQ(direct_, 0);
  EXPECT_TRUE(converge(nodes, 1s));
  ASSERT_TRUE(nodes[1]->node->send(wire_.now(), "p2", "chat", bytes_of("hello")));
  nodes[2]->node->subscribe("chat");
  EXPECT_TRUE(wire_.run(5s, [&] { return !nodes[2]->messages.empty() && direct_ > 0; }));
}

TEST_F(MeshTest, APeerThatDiesIsFailedAndOneThatLeavesHasLeft) {
  const Nodes nodes = start_peers(4);
  ASSERT_TRUE(converge(nodes));
  nodes[1]->station->down = true;
  EXPECT_TRUE(wire_.run(120s, [&] {
    return state(*hub_, "p1") == swim::State::kDead && state(*nodes[4], "p1") == swim::State::kDead;
  }));
  nodes[2]->node->leave_gossip(wire_.now());
  EXPECT_TRUE(wire_.run(2500ms, [&] {
    return std::ranges::any_of(nodes[2]->events, [](const Event& event) {
      const auto* gossiped = std::get_if<Gossiped>(&event);
      return gossiped && std::holds_alternative<swim::Gone>(gossiped->event);
    });
  }));
  nodes[2]->node->leave(wire_.now());
  EXPECT_TRUE(wire_.run(10s, [&] {
    return state(*hub_, "p2") == swim::State::kLeft && state(*nodes[4], "p2") == swim::State::kLeft;
  }));
}

// Nine peers: each has two others with whom it shares no session.
TEST_F(MeshTest, AnEventReachesAllAndAQueryIsAnsweredByAllWithoutMoreSessions) {
  const Nodes nodes = start_peers(9);
  ASSERT_TRUE(converge(nodes));
  wire_.run(60s, [] { return false; });  // every neighbour was probed
  const auto sessions = [&] {
    std::vector<std::size_t> out;
    for (const auto& node : nodes) out.push_back(node->node->live_session_count());
    return out;
  };
  const auto before = sessions();
  ASSERT_TRUE(nodes[3]->node->gossip_agent()->event(wire_.now(), "deploy", bytes_of("v1"), true));
  ASSERT_TRUE(nodes[3]->node->gossip_agent()->query(wire_.now(), "uptime", {}, {.timeout = 10s}));
  EXPECT_TRUE(wire_.run(20s, [&] {
    return std::ranges::all_of(nodes, [](const auto& node) {
      return told<swim::serf::EventArrived>(*node).size() == 1;
    }) && told<swim::serf::QueryAck>(*nodes[3]).size() == nodes.size();
  }));
  EXPECT_EQ(sessions(), before);
}

TEST_F(MeshTest, ASplitThatLastedHealsByItself) {
  const Nodes nodes = start_peers(4);
  ASSERT_TRUE(converge(nodes));
  const auto is_far = [&](const Endpoint& at) {
    return at == nodes[1]->station->at || at == nodes[2]->station->at;
  };
  wire_.drop = [&](const Endpoint& from, const Endpoint& to) { return is_far(from) != is_far(to); };
  ASSERT_TRUE(wire_.run(600s, [&] {
    return state(*hub_, "p1") == swim::State::kDead && state(*nodes[1], "hub") == swim::State::kDead;
  }));
  wire_.drop = nullptr;
  EXPECT_TRUE(converge(nodes, 120s));
}

TEST_F(MeshTest, TagsAreSetAndStoredAndSurviveARestart) {
  const Nodes nodes = start_peers(2);
  ASSERT_TRUE(converge(nodes));
  ASSERT_TRUE(nodes[1]->node->change_tags(wire_.now(), {{"rack", "7"}}, {}));
  EXPECT_FALSE(nodes[1]->node->change_tags(wire_.now(), {{"role", "hub"}}, {}));
  // What finds no room in memberlist's 512 bytes goes as shared data.
  const std::string big(600, 'x');
  ASSERT_TRUE(nodes[1]->node->change_tags(wire_.now(), {{"big", big}}, {}));
  EXPECT_TRUE(wire_.run(30s, [&] {
    const auto members = hub_->node->members();
    return std::ranges::any_of(members, [&](const MemberInfo& member) {
      return member.name == "p1" && member.tags.contains("big") && member.tags.at("big") == big;
    });
  }));
  const auto rack = [&] {
    const auto member = hub_->node->gossip_agent()->member("p1");
    const auto tags = member ? swim::serf::decode_tags(member->meta) : std::nullopt;
    return tags && tags->contains("rack") ? tags->at("rack") : "";
  };
  ASSERT_TRUE(wire_.run(10s, [&] { return rack() == "7"; }));
  nodes[1]->station->down = true;
  const auto again = start(nodes[1]->config, nodes[1]->identity.clone(), next_place(), 6,
                           {.tags = nodes[1]->disk["tags"]});
  wire_.run(1s, [] { return false; });
  EXPECT_EQ(again->node->gossip_agent()->tags().at("rack"), "7");
}

TEST_F(MeshTest, ANodeThatTakesNoPartInGossipDisturbsNobody) {
  const auto member = join_and_start("member");
  gossip_.reset();
  const auto silent = join_and_start("silent");
  ASSERT_TRUE(wire_.run(30s, [&] { return alive(*hub_) == 2 && knows(*silent, "member"); }));
  EXPECT_EQ(silent->node->gossip_agent(), nullptr);
  wire_.run(120s, [] { return false; });
  EXPECT_EQ(alive(*hub_), 2u);
  EXPECT_TRUE(knows(*silent, "member"));
}

}  // namespace
}  // namespace ginnel::node
