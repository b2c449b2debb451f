#include "proto/swim/event_queue.h"

#include <gtest/gtest.h>

namespace ginnel::swim {
namespace {

TEST(EventQueue, HoldsABoundedNumberOfUserMessagesAndStillTellsOfMembers) {
  EventQueue queue;
  for (std::size_t i = 0; i < EventQueue::kUserEventsMax + 10; ++i) {
    queue.push_back(UserMessage{ByteVector(1), false, {}});
  }
  EXPECT_EQ(queue.size(), EventQueue::kUserEventsMax);
  EXPECT_EQ(queue.lost(), 10u);
  queue.push_back(Joined{});
  EXPECT_EQ(queue.size(), EventQueue::kUserEventsMax + 1);
}

TEST(EventQueue, HoldsABoundedNumberOfUserBytes) {
  EventQueue queue;
  const std::size_t half = EventQueue::kUserBytesMax / 2 + 1;
  queue.push_back(RemoteState{ByteVector(half), false});
  queue.push_back(RemoteState{ByteVector(half), false});
  EXPECT_EQ(queue.size(), 1u);
  queue.pop();
  queue.push_back(RemoteState{ByteVector(half), false});
  EXPECT_EQ(queue.size(), 1u);
}

TEST(EventQueue, StreamsAreNeverDropped) {
  EventQueue queue;
  for (std::size_t i = 0; i < EventQueue::kEventsMax + 5; ++i) queue.push_back(Reaped{});
  EXPECT_EQ(queue.size(), EventQueue::kEventsMax);
  queue.push_back(StreamClose{StreamId(1)});
  EXPECT_EQ(queue.size(), EventQueue::kEventsMax + 1);
}

}  // namespace
}  // namespace ginnel::swim
