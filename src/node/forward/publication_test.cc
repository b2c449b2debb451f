#include "node/forward/publication.h"

#include <gtest/gtest.h>

namespace ginnel::forward {
namespace {

struct Counted {
  explicit Counted(int* deaths) : deaths_(deaths) {}
  Counted(const Counted&) = delete;
  ~Counted() { ++*deaths_; }
  int* deaths_;
};
using Table = Publication<Counted>;

TEST(Publication, WhatNobodyUsesIsFreedAtOnce) {
  int deaths = 0;
  Table tables(std::make_unique<Counted>(&deaths));
  (void)tables.add_reader();
  tables.publish(std::make_unique<Counted>(&deaths));
  EXPECT_EQ(deaths, 0);
  EXPECT_EQ(tables.collect(), 1u);
  EXPECT_EQ(deaths, 1);
}

TEST(Publication, WhatAReaderMayStillHoldStaysUntilItLeavesOrEntersAgain) {
  int deaths = 0;
  Table tables(std::make_unique<Counted>(&deaths));
  auto& reader = tables.add_reader();
  const Counted* first = reader.enter();
  tables.publish(std::make_unique<Counted>(&deaths));
  EXPECT_EQ(tables.collect(), 0u);
  EXPECT_NE(reader.enter(), first);
  EXPECT_EQ(tables.collect(), 1u);
  tables.publish(std::make_unique<Counted>(&deaths));
  EXPECT_EQ(tables.collect(), 0u);
  reader.leave();
  EXPECT_EQ(tables.collect(), 1u);
  EXPECT_EQ(deaths, 2);
}

TEST(Publication, TheSlowestReaderDecides) {
  int deaths = 0;
  Table tables(std::make_unique<Counted>(&deaths));
  auto& slow = tables.add_reader();
  auto& fast = tables.add_reader();
  slow.enter();
  fast.enter();
  tables.publish(std::make_unique<Counted>(&deaths));
  fast.enter();
  EXPECT_EQ(tables.collect(), 0u);
  slow.leave();
  EXPECT_EQ(tables.collect(), 1u);
}

TEST(Publication, OtherObjectsAreRetiredLikewiseAndInOrder) {
  int deaths = 0;
  Table tables(std::make_unique<Counted>(&deaths));
  auto& reader = tables.add_reader();
  reader.enter();
  tables.retire(std::make_unique<Counted>(&deaths));
  reader.enter();
  tables.retire(std::make_unique<Counted>(&deaths));
  EXPECT_EQ(tables.collect(), 1u);
  EXPECT_EQ(tables.retired(), 1u);
  reader.leave();
  EXPECT_EQ(tables.collect(), 1u);
}

}  // namespace
}  // namespace ginnel::forward
