// Members that do not all reach each other: whom they choose, and whom they believe.
#include "proto/swim/neighbourhood.h"

#include <gtest/gtest.h>

#include "proto/swim/testing/cluster.h"

namespace ginnel::swim {
namespace {

using testing::Cluster;

// Members in a ring: each reaches those beside it, and everybody is where his name says.
class Ring final : public Neighbourhood {
 public:
  Ring(std::size_t self, std::size_t size)
      : before_(Cluster::name_of((self + size - 1) % size)),
        after_(Cluster::name_of((self + 1) % size)) {}

  bool reaches(std::string_view name) const override { return name == before_ || name == after_; }
  bool admits(std::string_view name, const Endpoint& at) const override {
    return !only_at_ || at == *only_at_ || name != "victim";
  }
  void allow_victim_only_at(const Endpoint& at) { only_at_ = at; }

 private:
  std::string before_;
  std::string after_;
  std::optional<Endpoint> only_at_;
};

class NeighbourhoodTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kMembers = 8;

  static bool adjoin(std::size_t a, std::size_t b) {
    return (a + 1) % kMembers == b || (b + 1) % kMembers == a;
  }
  void SetUp() override {
    for (std::size_t i = 0; i < kMembers; ++i) rings_.emplace_back(i, kMembers);
    for (std::size_t i = 0; i < kMembers; ++i) {
      cluster_.add();
      cluster_[i].set_neighbourhood(&rings_[i]);
      if (i > 0) cluster_.join(i, i - 1);
    }
  }

  std::deque<Ring> rings_;
  std::set<std::pair<std::size_t, std::size_t>> strangers_;  // that a packet went between
  bool watching_ = false;
  Cluster cluster_{{.passes = [this](std::size_t from, std::size_t to, bool) {
    if (watching_ && !adjoin(from, to)) strangers_.emplace(from, to);
    return adjoin(from, to);
  }}};
};

// docs/design.md section 8: gossip makes no pair of nodes active that was not.
TEST_F(NeighbourhoodTest, MembersThatReachOnlyTwoOthersLearnOfAllAndDisturbNoOthers) {
  watching_ = true;
  cluster_.run(60s);
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_EQ(cluster_[i].alive_count(), kMembers) << i;
  EXPECT_TRUE(strangers_.empty());
}

TEST_F(NeighbourhoodTest, ADeadMemberIsFoundByItsNeighboursAndKnownToAll) {
  cluster_.run(60s);
  cluster_.kill(3);
  cluster_.run(60s);
  for (std::size_t i = 0; i < kMembers; ++i) {
    if (i == 3) continue;
    EXPECT_EQ(cluster_[i].member("n3")->state, State::kDead) << i;
  }
}

TEST_F(NeighbourhoodTest, NobodyBelievesANameAtAnAddressThatIsNotIts) {
  cluster_.run(10s);
  rings_[0].allow_victim_only_at(Cluster::endpoint_of(50));
  Config impostor;
  impostor.name = "victim";
  impostor.advertise = Cluster::endpoint_of(1);
  const ByteVector lie =
      encode(Alive{Incarnation(9), impostor.name, impostor.advertise, {}, Vsn{}});
  ByteVector bytes = lie;
  cluster_[0].handle_datagram(cluster_.now(), kSocket, Cluster::endpoint_of(1), bytes);
  EXPECT_FALSE(cluster_[0].member("victim"));
  EXPECT_EQ(cluster_[0].dropped(Drop::kNotAdmitted), 1u);
  ByteVector truth =
      encode(Alive{Incarnation(9), impostor.name, Cluster::endpoint_of(50), {}, Vsn{}});
  cluster_[0].handle_datagram(cluster_.now(), kSocket, Cluster::endpoint_of(1), truth);
  EXPECT_TRUE(cluster_[0].member("victim"));
}

}  // namespace
}  // namespace ginnel::swim
