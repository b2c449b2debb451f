#include "node/handshake_memory.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/writer.h"

namespace ginnel::node {
namespace {

constexpr Instant kNow{1'000'000'000};

crypto::SessionPublic key_of(std::uint32_t number) {
  crypto::SessionPublic out;
  Writer(out.writable()).u32be(number);
  return out;
}
wg::Timestamp at(std::int64_t seconds) { return wg::Timestamp::of({seconds * 1'000'000'000}); }

TEST(HandshakeMemory, OutlivesTheProcess) {
  HandshakeMemory memory;
  memory.note_sent(kNow, at(100));
  memory.note_accepted(kNow, key_of(1), at(50));
  memory.note_accepted(kNow, key_of(2), at(60));
  const auto again = HandshakeMemory::parse(memory.write());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->last_sent(), at(100));
  EXPECT_EQ(again->greatest_accepted(key_of(1)), at(50));
  EXPECT_EQ(again->greatest_accepted(key_of(2)), at(60));
  EXPECT_EQ(again->greatest_accepted(key_of(3)), wg::Timestamp{});
}

TEST(HandshakeMemory, NeverGoesBack) {
  HandshakeMemory memory;
  memory.note_sent(kNow, at(100));
  memory.note_sent(kNow, at(99));
  memory.note_accepted(kNow, key_of(1), at(50));
  memory.note_accepted(kNow, key_of(1), at(49));
  EXPECT_EQ(memory.last_sent(), at(100));
  EXPECT_EQ(memory.greatest_accepted(key_of(1)), at(50));
}

TEST(HandshakeMemory, IsStoredAtOnceAndThenNowAndThen) {
  HandshakeMemory memory;
  EXPECT_FALSE(memory.take_due(kNow));
  memory.note_sent(kNow, at(100));
  EXPECT_TRUE(memory.take_due(kNow));
  memory.note_sent(kNow + 1s, at(101));
  EXPECT_FALSE(memory.take_due(kNow + 1s));
  EXPECT_EQ(memory.next_timeout(), kNow + HandshakeMemory::kStoreSpacing);
  EXPECT_TRUE(memory.take_due(kNow + HandshakeMemory::kStoreSpacing));
  EXPECT_FALSE(memory.take_all());
  memory.note_sent(kNow + 11s, at(111));
  EXPECT_TRUE(memory.take_all());
}

TEST(HandshakeMemory, IsBoundedAndForgetsTheOldestFirst) {
  HandshakeMemory memory;
  for (std::uint32_t i = 0; i < kPeersRemembered + 10; ++i) {
    memory.note_accepted(kNow, key_of(i), at(1000 + i));
  }
  EXPECT_EQ(memory.greatest_accepted(key_of(9)), wg::Timestamp{});
  EXPECT_EQ(memory.greatest_accepted(key_of(10)), at(1010));
  EXPECT_TRUE(HandshakeMemory::parse(memory.write()));
}

TEST(HandshakeMemory, RefusesWhatItDidNotWrite) {
  HandshakeMemory memory;
  memory.note_accepted(kNow, key_of(1), at(50));
  ByteVector bytes = memory.write();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const bool row_is_whole = size == 1 + wg::kTimestampBytes;
    EXPECT_EQ(HandshakeMemory::parse(ConstBytes(bytes).first(size)).has_value(), row_is_whole);
  }
  bytes[0] = std::byte{2};
  EXPECT_FALSE(HandshakeMemory::parse(bytes));
}

}  // namespace
}  // namespace ginnel::node
