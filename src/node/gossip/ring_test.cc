#include "node/gossip/ring.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ginnel::node {
namespace {

Id peer_id(std::uint8_t number, Role role = Role::kPeer) {
  Id::Uuid uuid{};
  uuid[0] = number;
  uuid[15] = 1;
  return {role, uuid};
}

class RingTest : public ::testing::Test {
 protected:
  void add(std::uint8_t number, Role role = Role::kPeer) { peers_[peer_id(number, role)]; }
  std::set<int> neighbours(std::uint8_t of) const {
    std::set<int> out;
    for (const Id& id : neighbours_of(peer_id(of), peers_, [&](const Peer& peer) {
           return std::ranges::none_of(away_, [&](const auto& id) { return &peers_.at(id) == &peer; });
         })) {
      out.insert(id.uuid()[0]);
    }
    return out;
  }
  std::map<Id, Peer> peers_;
  std::set<Id> away_;
};

TEST_F(RingTest, ThreeAfterAndThreeBeforeAcrossTheEnd) {
  for (std::uint8_t i = 1; i <= 20; ++i) add(i);
  EXPECT_EQ(neighbours(10), (std::set{7, 8, 9, 11, 12, 13}));
  EXPECT_EQ(neighbours(1), (std::set{18, 19, 20, 2, 3, 4}));
  EXPECT_EQ(neighbours(20), (std::set{17, 18, 19, 1, 2, 3}));
}

TEST_F(RingTest, WhoIsAwayIsLeftOutAndTheNextOneTakesItsPlace) {
  for (std::uint8_t i = 1; i <= 20; ++i) add(i);
  away_ = {peer_id(11), peer_id(8)};
  EXPECT_EQ(neighbours(10), (std::set{6, 7, 9, 12, 13, 14}));
}

TEST_F(RingTest, HubsAreNobodysNeighboursAndHaveNone) {
  for (std::uint8_t i = 1; i <= 4; ++i) add(i);
  for (std::uint8_t i = 5; i <= 9; ++i) add(i, Role::kHub);
  EXPECT_EQ(neighbours(2), (std::set{1, 3, 4}));
  EXPECT_TRUE(neighbours_of(peer_id(5, Role::kHub), peers_, [](const Peer&) { return true; }).empty());
}

TEST_F(RingTest, ASmallNetworkIsAllNeighboursAndAnEmptyOneNone) {
  EXPECT_TRUE(neighbours(1).empty());
  add(1);
  EXPECT_TRUE(neighbours(1).empty());
  add(2);
  EXPECT_EQ(neighbours(1), (std::set{2}));
}

TEST_F(RingTest, TwoThatSeeTheSameAreNeighboursOfEachOther) {
  for (std::uint8_t i = 1; i <= 30; ++i) add(static_cast<std::uint8_t>(7 * i % 251));
  for (const auto& [id, peer] : peers_) {
    for (const int other : neighbours(id.uuid()[0])) {
      EXPECT_TRUE(neighbours(static_cast<std::uint8_t>(other)).contains(id.uuid()[0]));
    }
  }
}

}  // namespace
}  // namespace ginnel::node
