#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace ginnel::sim {
namespace {

TEST(EventQueue, GivesEventsByTimeAndThenInTheOrderAdded) {
  EventQueue queue;
  Rng rng = Rng::from_seed(3);
  std::vector<std::pair<std::int64_t, std::uint32_t>> expected;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Instant at{static_cast<std::int64_t>(rng.below(50))};
    queue.add(at, EventKind::kCall, i);
    expected.emplace_back(at.ns, i);
  }
  std::ranges::stable_sort(expected, {}, [](const auto& e) { return e.first; });
  for (const auto& [at, subject] : expected) {
    const Event event = queue.take();
    ASSERT_EQ(event.at.ns, at);
    ASSERT_EQ(event.subject, subject);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, KeepsItsOrderWhileEventsAreAddedBetween) {
  EventQueue queue;
  queue.add(Instant{10}, EventKind::kCall, 1);
  queue.add(Instant{30}, EventKind::kCall, 3);
  EXPECT_EQ(queue.take().subject, 1U);
  queue.add(Instant{30}, EventKind::kCall, 4);
  queue.add(Instant{20}, EventKind::kCall, 2);
  EXPECT_EQ(queue.take().subject, 2U);
  EXPECT_EQ(queue.take().subject, 3U);
  EXPECT_EQ(queue.take().subject, 4U);
}

}  // namespace
}  // namespace ginnel::sim
