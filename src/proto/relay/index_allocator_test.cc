#include "proto/relay/index_allocator.h"

#include <gtest/gtest.h>

#include <set>

namespace ginnel::relay {
namespace {

TEST(IndexAllocator, GivesEachIndexToOneOwnerAtATime) {
  IndexAllocator indices(100, Rng::from_seed(1));
  EXPECT_EQ(indices.places(), 128u);
  std::set<Index> given;
  while (const auto index = indices.allocate()) {
    EXPECT_NE(*index, Index(0));
    EXPECT_LE(index->value(), kIndexMax);
    EXPECT_TRUE(given.insert(*index).second);
  }
  EXPECT_EQ(given.size(), 128u);
}

TEST(IndexAllocator, PlacesFitTheTableOfTheSameSize) {
  IndexAllocator indices(64, Rng::from_seed(2));
  std::set<std::uint32_t> places;
  while (const auto index = indices.allocate()) places.insert(index->value() % 64);
  EXPECT_EQ(places.size(), 64u);
}

// Section 4: an index is given to another node as late as can be.
TEST(IndexAllocator, AnOldIndexMeansNobodyForAtLeast256OwnersOfItsPlace) {
  IndexAllocator indices(kPlacesMax, Rng::from_seed(3));
  std::optional<Index> mine;
  while (const auto index = indices.allocate()) mine = index;
  std::set<Index> owners;
  for (int i = 0; i < 255; ++i) {  // the only free place is used again and again
    EXPECT_TRUE(owners.insert(*mine).second) << i;
    indices.release(*mine);
    mine = indices.allocate();
    ASSERT_TRUE(mine);
  }
}

TEST(IndexAllocator, ReusesPlacesInTheOrderOfTheirRelease) {
  IndexAllocator indices(4, Rng::from_seed(5));
  std::vector<Index> given;
  while (const auto index = indices.allocate()) given.push_back(*index);
  indices.release(given[2]);
  indices.release(given[0]);
  EXPECT_EQ(indices.allocate()->value() % 4, given[2].value() % 4);
  EXPECT_EQ(indices.allocate()->value() % 4, given[0].value() % 4);
  EXPECT_FALSE(indices.allocate());
}

TEST(IndexAllocator, IgnoresTheReleaseOfWhatIsNotGiven) {
  IndexAllocator indices(4, Rng::from_seed(6));
  const auto index = indices.allocate();
  indices.release(Index(index->value() ^ 4));  // another generation of the same place
  EXPECT_EQ(indices.free_count(), 3u);
  indices.release(*index);
  indices.release(*index);
  EXPECT_EQ(indices.free_count(), 4u);
}

TEST(IndexAllocator, SameSeedGivesTheSameIndices) {
  IndexAllocator a(16, Rng::from_seed(7));
  IndexAllocator b(16, Rng::from_seed(7));
  for (int i = 0; i < 16; ++i) EXPECT_EQ(a.allocate(), b.allocate());
}

}  // namespace
}  // namespace ginnel::relay
