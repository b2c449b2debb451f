#include "proto/swim/broadcast_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ginnel::swim {
namespace {

using ::testing::ElementsAre;

ByteVector message(std::size_t size, char c = 'x') { return ByteVector(size, static_cast<std::byte>(c)); }

std::vector<std::size_t> take(BroadcastQueue& queue, std::size_t budget, std::uint32_t limit = 4) {
  std::vector<ByteVector> out;
  queue.take(budget, 2, limit, out);
  std::vector<std::size_t> sizes;
  for (const auto& m : out) sizes.push_back(m.size());
  return sizes;
}

TEST(BroadcastQueue, ANewerMessageOfTheSameSubjectReplacesTheOlder) {
  BroadcastQueue queue;
  queue.add("a", message(1));
  queue.add("a", message(2));
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_THAT(take(queue, 100), ElementsAre(2));
}

TEST(BroadcastQueue, MessagesWithoutSubjectStandBesideEachOther) {
  BroadcastQueue queue;
  queue.add("", message(1));
  queue.add("", message(1));
  EXPECT_EQ(queue.size(), 2u);
}

TEST(BroadcastQueue, TheLeastSentGoesFirstThenTheLargestThatFits) {
  BroadcastQueue queue;
  queue.add("a", message(10));
  EXPECT_THAT(take(queue, 100), ElementsAre(10));
  queue.add("b", message(5));
  queue.add("c", message(7));
  queue.add("d", message(50));
  EXPECT_THAT(take(queue, 20), ElementsAre(7, 5));   // 9 + 7 of 20; "d" does not fit
  EXPECT_THAT(take(queue, 70), ElementsAre(50, 10)); // "d" was never sent, "a" once and is larger
}

TEST(BroadcastQueue, OfTheSameSizeTheNewestGoesFirst) {
  BroadcastQueue queue;
  queue.add("a", message(3, 'a'));
  queue.add("b", message(3, 'b'));
  std::vector<ByteVector> out;
  queue.take(5, 2, 4, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0], message(3, 'b'));
}

TEST(BroadcastQueue, AMessageIsSentAsOftenAsTheLimitAndNeverTwiceInAPacket) {
  BroadcastQueue queue;
  queue.add("a", message(3));
  for (int i = 0; i < 4; ++i) EXPECT_THAT(take(queue, 1000), ElementsAre(3));
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.contains("a"));
}

TEST(BroadcastQueue, NeverHoldsMoreThanItsLimit) {
  BroadcastQueue queue;
  for (std::size_t i = 0; i < BroadcastQueue::kMessagesMax + 100; ++i) queue.add("", message(1));
  EXPECT_EQ(queue.size(), BroadcastQueue::kMessagesMax);
}

}  // namespace
}  // namespace ginnel::swim
