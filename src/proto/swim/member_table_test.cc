#include "proto/swim/member_table.h"

#include <gtest/gtest.h>

#include <set>

namespace ginnel::swim {
namespace {

class MemberTableTest : public ::testing::Test {
 protected:
  MemberTableTest() {
    for (int i = 0; i < 20; ++i) table.insert("m" + std::to_string(i));
  }
  MemberTable table{Rng::from_seed(5)};
};

// memberlist kRandomNodes.
TEST_F(MemberTableTest, DrawsDifferentMembersAndOnlyThoseThatAreWanted) {
  const auto even = [](const Member& m) { return (m.name.back() - '0') % 2 == 0; };
  for (int i = 0; i < 100; ++i) {
    const auto drawn = table.random(3, even);
    EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 3u);
    for (const Member* m : drawn) EXPECT_TRUE(even(*m));
  }
  EXPECT_TRUE(table.random(3, [](const Member&) { return false; }).empty());
  EXPECT_TRUE(MemberTable(Rng::from_seed(1)).random(3, even).empty());
}

TEST_F(MemberTableTest, EveryMemberIsDrawnNowAndThen) {
  std::set<Member*> drawn;
  for (int i = 0; i < 500; ++i) {
    for (Member* m : table.random(2, [](const Member&) { return true; })) drawn.insert(m);
  }
  EXPECT_EQ(drawn.size(), table.size());
}

// memberlist shuffleNodes.
TEST_F(MemberTableTest, AShuffleKeepsEachMemberOnceAndChangesTheOrder) {
  const std::vector<Member*> before = table.order();
  table.shuffle();
  const std::vector<Member*> after = table.order();
  EXPECT_NE(after, before);
  EXPECT_EQ(std::set(after.begin(), after.end()), std::set(before.begin(), before.end()));
  EXPECT_EQ(after.size(), before.size());
}

// memberlist moveDeadNodes, and what stands for its forgetting here.
TEST_F(MemberTableTest, ARetiredMemberHasNoTurnButCanBeFoundAndRevived) {
  Member& member = *table.find("m3");
  table.retire(member);
  table.retire(member);
  EXPECT_EQ(table.active_count(), 19u);
  EXPECT_EQ(table.size(), 20u);
  EXPECT_EQ(table.find("m3"), &member);
  table.revive(member);
  table.revive(member);
  EXPECT_EQ(table.active_count(), 20u);
}

TEST_F(MemberTableTest, AnErasedMemberIsGoneFromBoth) {
  table.erase(*table.find("m3"));
  EXPECT_EQ(table.find("m3"), nullptr);
  EXPECT_EQ(table.active_count(), 19u);
  EXPECT_EQ(table.size(), 19u);
}

}  // namespace
}  // namespace ginnel::swim
