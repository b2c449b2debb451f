#include "proto/relay/relay_table.h"

#include <gtest/gtest.h>

#include "crypto/testing/allocations.h"

namespace ginnel::relay {
namespace {

constexpr Instant kNow{5'000'000'000};
constexpr Index kAlice(0x10001);
constexpr Index kBob(0x20002);
constexpr crypto::SipKey kAliceKey = {1};
constexpr crypto::SipKey kBobKey = {2};
const Endpoint kBobAt{Address::v4(198, 51, 100, 7), 4164};

class RelayTableTest : public ::testing::Test {
 protected:
  RelayTableTest() {
    table_.add(kNow, {kAlice, kAliceKey, kSocket, {Address::v4(203, 0, 113, 9), 7700}, kQuota});
    table_.add(kNow, {kBob, kBobKey, PathId(3), kBobAt, {}});
  }
  static ByteVector packet(const Header& header, const crypto::SipKey& key,
                           std::size_t payload_bytes = 100) {
    ByteVector out(kHeaderBytes + payload_bytes, std::byte{0x5a});
    write_header(header, key, out);
    return out;
  }
  static ByteVector alice_to_bob() { return packet({kAlice, kHopsFromNode, kBob, 0}, kAliceKey); }
  // Forwarding fails with `why`, which is counted, and the packet is as it was.
  void expect_drop(ByteVector bytes, Drop why) {
    const ByteVector before = bytes;
    const auto counted = table_.dropped(why);
    const auto result = table_.forward(kNow, bytes);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), why);
    EXPECT_EQ(table_.dropped(why), counted + 1);
    EXPECT_EQ(bytes, before);
  }

  static constexpr Quota kQuota{.bytes_per_second = 1000, .burst_bytes = 116 * 5};
  RelayTable table_{64};
};

TEST_F(RelayTableTest, ForwardsToTheDestinationWhichCanOpenIt) {
  ByteVector bytes = alice_to_bob();
  const auto transmit = table_.forward(kNow, bytes);
  ASSERT_TRUE(transmit);
  EXPECT_EQ(transmit->path, PathId(3));
  EXPECT_EQ(transmit->to, kBobAt);
  EXPECT_EQ(transmit->size, bytes.size());
  const auto opened = open(bytes, kBob, kBobKey);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->source, kAlice);
}

TEST_F(RelayTableTest, CountsPayloadOnBothSides) {
  ByteVector bytes = alice_to_bob();
  ASSERT_TRUE(table_.forward(kNow, bytes));
  EXPECT_EQ(table_.traffic(kAlice)->sent_packets, 1u);
  EXPECT_EQ(table_.traffic(kAlice)->sent_bytes, 100u);
  EXPECT_EQ(table_.traffic(kBob)->received_bytes, 100u);
  EXPECT_EQ(table_.traffic(kBob)->sent_packets, 0u);
}

TEST_F(RelayTableTest, DropsWhatIsNoRelayPacket) {
  ByteVector bytes = alice_to_bob();
  bytes.resize(kHeaderBytes);
  expect_drop(bytes, Drop::kTooShort);
  bytes = alice_to_bob();
  bytes[4] = std::byte{0x80};
  expect_drop(bytes, Drop::kBadType);
}

// A packet is relayed once, so no loop can form, also between hubs.
TEST_F(RelayTableTest, DropsWhatWasRelayedBefore) {
  ByteVector bytes = alice_to_bob();
  ASSERT_TRUE(table_.forward(kNow, bytes));
  expect_drop(bytes, Drop::kHops);
}

TEST_F(RelayTableTest, DropsUnknownSources) {
  expect_drop(packet({Index(0), 0, kBob, 0}, kAliceKey), Drop::kUnknownSource);
  // The same place, another generation.
  const Index old(kAlice.value() + 0x40);
  expect_drop(packet({old, 0, kBob, 0}, kAliceKey), Drop::kUnknownSource);
}

TEST_F(RelayTableTest, DropsWhatIsTaggedWithoutTheSourcesKey) {
  expect_drop(packet({kAlice, 0, kBob, 0}, kBobKey), Drop::kBadTag);
  ByteVector changed = alice_to_bob();
  changed[5] ^= std::byte{1};  // another destination
  expect_drop(changed, Drop::kBadTag);
}

TEST_F(RelayTableTest, DropsUnknownDestinationsAndThoseToItself) {
  expect_drop(packet({kAlice, 0, Index(0), 0}, kAliceKey), Drop::kUnknownDestination);
  expect_drop(packet({kAlice, 0, Index(9), 0}, kAliceKey), Drop::kUnknownDestination);
  expect_drop(packet({kAlice, 0, kAlice, 0}, kAliceKey), Drop::kToItself);
}

TEST_F(RelayTableTest, HoldsEachSourceToItsQuota) {
  for (int i = 0; i < 5; ++i) {
    ByteVector bytes = alice_to_bob();
    EXPECT_TRUE(table_.forward(kNow, bytes)) << i;
  }
  expect_drop(alice_to_bob(), Drop::kOverQuota);
  EXPECT_EQ(table_.traffic(kAlice)->over_quota_packets, 1u);
  ByteVector later = alice_to_bob();
  EXPECT_TRUE(table_.forward(kNow + 116ms, later));
  ByteVector others = packet({kBob, 0, kAlice, 0}, kBobKey);
  EXPECT_TRUE(table_.forward(kNow, others));
}

TEST_F(RelayTableTest, SpoofersBurnNobodysQuota) {
  for (int i = 0; i < 100; ++i) expect_drop(packet({kAlice, 0, kBob, 0}, {}), Drop::kBadTag);
  ByteVector bytes = alice_to_bob();
  EXPECT_TRUE(table_.forward(kNow, bytes));
}

TEST_F(RelayTableTest, FollowsANodeThatMoves) {
  const Endpoint elsewhere{Address::v4(192, 0, 2, 1), 9};
  EXPECT_TRUE(table_.move(kBob, PathId(8), elsewhere));
  EXPECT_FALSE(table_.move(Index(9), PathId(8), elsewhere));
  ByteVector bytes = alice_to_bob();
  const auto transmit = table_.forward(kNow, bytes);
  ASSERT_TRUE(transmit);
  EXPECT_EQ(transmit->path, PathId(8));
  EXPECT_EQ(transmit->to, elsewhere);
}

TEST_F(RelayTableTest, RemovedNodesNeitherSendNorReceive) {
  table_.remove(kBob);
  expect_drop(alice_to_bob(), Drop::kUnknownDestination);
  expect_drop(packet({kBob, 0, kAlice, 0}, kBobKey), Drop::kUnknownSource);
  EXPECT_FALSE(table_.traffic(kBob));
}

TEST_F(RelayTableTest, ForwardingNeverAllocates) {
  if (!testing::allocations_are_counted()) GTEST_SKIP() << "the sanitizer has its own malloc";
  table_.add(kNow, {kAlice, kAliceKey, kSocket, {}, {.burst_bytes = std::uint64_t{1} << 30}});
  ByteVector good = alice_to_bob();
  const ByteVector original = good;
  const auto before = testing::allocations();
  for (int i = 0; i < 100'000; ++i) {
    std::ranges::copy(original, good.begin());
    if (!table_.forward(kNow, good)) break;
    (void)table_.forward(kNow, good);  // and the way of a dropped one
  }
  EXPECT_EQ(testing::allocations() - before, 0u);
  EXPECT_EQ(table_.traffic(kAlice)->sent_packets, 100'000u);
}

}  // namespace
}  // namespace ginnel::relay
