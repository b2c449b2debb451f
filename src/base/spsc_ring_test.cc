#include "base/spsc_ring.h"

#include <thread>

#include <gtest/gtest.h>

namespace ginnel {
namespace {

TEST(SpscRing, RefusesWhenFull) {
  SpscRing<int> ring(2);
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  EXPECT_FALSE(ring.push(3));
  EXPECT_EQ(ring.pop(), 1);
  EXPECT_TRUE(ring.push(3));
  EXPECT_EQ(ring.pop(), 2);
  EXPECT_EQ(ring.pop(), 3);
  EXPECT_EQ(ring.pop(), std::nullopt);
}

TEST(SpscRing, CarriesEveryItemInOrderBetweenTwoThreads) {
  SpscRing<int> ring(64);
  constexpr int kItems = 100'000;
  std::thread producer([&] {
    for (int i = 0; i < kItems;) {
      if (ring.push(int{i})) ++i;
    }
  });
  for (int i = 0; i < kItems;) {
    if (const auto item = ring.pop()) {
      ASSERT_EQ(*item, i);
      ++i;
    }
  }
  producer.join();
}

}  // namespace
}  // namespace ginnel
