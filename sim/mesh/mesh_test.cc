// Gossip among whole nodes behind NATs: who becomes a member, who is missed, and what gossip leaves
// alone.
#include <gtest/gtest.h>

#include "sim/mesh/idle_mesh.h"
#include "sim/network.h"

namespace ginnel::sim {
namespace {

struct Silence final : Programs {
  void message(MachineId, MachineId, const std::string&, ConstBytes) override {}
  void packet(MachineId, ConstBytes) override {}
  void settled(MachineId, const node::AckSettled&) override {}
};

// A hub and peers whose NATs allow no direct path between most of them.
class SimMesh : public ::testing::Test {
 protected:
  SimMesh() {
    network_.set_gossip(swim::Config::lan());
    hub_ = network_.add_hub("hub", places_, site(NatKind::kOpen));
    world_.run_for(1s);
    for (const NatKind kind : {NatKind::kSymmetric, NatKind::kSymmetric, NatKind::kPortrestricted,
                               NatKind::kCgnatsym, NatKind::kFirewall}) {
      peers_.push_back(network_.add_peer("p" + std::to_string(peers_.size()), places_, site(kind)));
    }
  }
  Site site(NatKind kind) { return places_.add_site(kind, {.wan = both({.delay = 12'500us})}); }

  std::optional<swim::State> state(MachineId at, const std::string& of) {
    node::Node* node = network_.node(at);
    const auto member = node ? node->gossip_agent()->member(of) : std::nullopt;
    return member ? std::optional(member->state) : std::nullopt;
  }
  bool all_alive(std::size_t count, Nanoseconds limit) {
    return network_.wait(limit, [&] {
      return std::ranges::all_of(network_.nodes(), [&](MachineId machine) {
        node::Node* node = network_.node(machine);
        return node && node->gossip_agent()->swim().alive_count() == count;
      });
    });
  }
  bool all_others_see(const std::string& name, swim::State wanted, MachineId but,
                      Nanoseconds limit) {
    return network_.wait(limit, [&] {
      return std::ranges::all_of(network_.nodes(), [&](MachineId machine) {
        return machine == but || state(machine, name) == wanted;
      });
    });
  }
  std::size_t direct_pairs() {
    std::size_t out = 0;
    for (const MachineId a : peers_) {
      for (const MachineId b : peers_) {
        if (a == b) continue;
        const PathKind kind = network_.path(a, b);
        out += kind != PathKind::kNone && kind != PathKind::kRelayUdp;
      }
    }
    return out;
  }

  World world_{{.seed = 3, .trace_entries = 0, .hash_payloads = false}};
  Places places_{world_};
  Silence silence_;
  Network network_{world_, silence_, 0.5};
  MachineId hub_;
  std::vector<MachineId> peers_;
};

TEST_F(SimMesh, MembersConvergeOverTheRelayAndNoPathIsSoughtForThem) {
  ASSERT_TRUE(all_alive(6, 20s));
  world_.run_for(5min);
  EXPECT_TRUE(all_alive(6, 1s));
  EXPECT_EQ(direct_pairs(), 0u);
}

TEST_F(SimMesh, OneThatIsKilledFailsAndComesBackWhenItStartsAgain) {
  ASSERT_TRUE(all_alive(6, 20s));
  world_.crash(peers_[1]);
  EXPECT_TRUE(all_others_see("p1", swim::State::kDead, peers_[1], 2min));
  world_.start(peers_[1]);
  EXPECT_TRUE(all_alive(6, 1min));
}

TEST_F(SimMesh, OneThatLeavesHasLeftForAll) {
  ASSERT_TRUE(all_alive(6, 20s));
  network_.node(peers_[2])->leave_gossip(world_.now());
  world_.poke(peers_[2]);
  world_.run_for(2s);
  network_.node(peers_[2])->leave(world_.now());
  world_.poke(peers_[2]);
  world_.run_for(100ms);
  world_.crash(peers_[2]);
  EXPECT_TRUE(all_others_see("p2", swim::State::kLeft, peers_[2], 30s));
}

// Its machine sleeps: nobody can make a session with it, as if it were cut off.
TEST_F(SimMesh, OneThatWasCutOffForLongIsAMemberAgainByItself) {
  ASSERT_TRUE(all_alive(6, 20s));
  world_.suspend(peers_[0]);
  ASSERT_TRUE(all_others_see("p0", swim::State::kDead, peers_[0], 2min));
  world_.run_for(10min);
  world_.resume(peers_[0]);
  EXPECT_TRUE(all_alive(6, 2min));
}

// Issue 3, what it must show, point 5, at a size for each test run.
TEST(IdleMesh, APeerHoldsAtMostItsHubsAndSixSessionsAndNoneIsDirect) {
  const IdleMeshResult result = run_idle_mesh({.peers = 25,
                                               .hubs = 2,
                                               .join_interval = 200ms,
                                               .settle = 12min,
                                               .measure = 1min});
  EXPECT_GT(result.converged, Nanoseconds(0));
  EXPECT_LE(result.converged, 2min);
  EXPECT_LE(result.sessions_max, 2u + 6u);
  EXPECT_EQ(result.direct_pairs, 0u);
}

}  // namespace
}  // namespace ginnel::sim
