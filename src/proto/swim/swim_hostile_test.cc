// What a hostile or broken peer may send: clear counters, no growth, and the member goes on.
#include <gtest/gtest.h>

#include "proto/swim/limits.h"
#include "proto/swim/testing/cluster.h"
#include "proto/swim/testing/vectors.h"

namespace ginnel::swim {
namespace {

using testing::Cluster;

TEST(Hostile, RandomDatagramsAreCountedAndNothingElse) {
  Cluster c;
  c.start(2);
  Rng rng = Rng::from_seed(4);
  for (int i = 0; i < 20'000; ++i) {
    ByteVector bytes(rng.below(200));
    rng.fill(bytes);
    c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(9), bytes);
  }
  c.settle(0);
  c.run(20s);
  EXPECT_TRUE(c.all_see(2));
  EXPECT_LT(c[0].members().size(), 5u);
}

TEST(Hostile, EveryVectorWithOneDamagedByteLeavesTheMemberRunning) {
  Cluster c;
  c.start(2);
  const testing::Vectors vectors;
  for (const auto& [name, bytes] : vectors.all()) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      ByteVector damaged = bytes;
      damaged[i] ^= std::byte{0x55};
      c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(9), damaged);
    }
    c.settle(0);
  }
  c.run(60s);
  EXPECT_EQ(c.state(0, 1), State::kAlive);
}

TEST(Hostile, ALargestDatagramIsTaken) {
  Cluster c;
  c.start(2);
  ByteVector bytes(kDatagramBytesMax, std::byte{'x'});
  bytes[0] = std::byte{8};
  c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(9), bytes);
  c.settle(0);
  ASSERT_EQ(c.events_of<UserMessage>(0).size(), 1u);
  EXPECT_EQ(c.events_of<UserMessage>(0)[0].bytes.size(), kDatagramBytesMax - 1);
}

TEST(Hostile, HalfOpenStreamsAreClosedInTimeAndDoNotKeepOthersOut) {
  Cluster c;
  c.start(2);
  for (int i = 0; i < 200; ++i) {
    const auto stream = c[0].accept_stream(c.now(), Cluster::endpoint_of(9));
    ASSERT_TRUE(stream);
    const ByteVector some = *from_hex("06");
    c[0].handle_stream_data(c.now(), *stream, some);
  }
  const std::size_t newcomer = c.add();
  c.join(newcomer, 0);
  c.run(1s);
  EXPECT_EQ(c.events_of<JoinDone>(newcomer).size(), 1u);
  EXPECT_GE(c[0].stream_count(), 200u);
  c.run(10s);
  EXPECT_EQ(c[0].stream_count(), 0u);
}

TEST(Hostile, MoreStreamsThanTheLimitAreRefused) {
  Cluster c;
  c.add();
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    if (c[0].accept_stream(c.now(), Cluster::endpoint_of(9))) ++taken;
  }
  EXPECT_EQ(taken, Swim::kStreamsInboundMax);
  EXPECT_GT(c[0].dropped(Drop::kQueueFull), 0u);
}

TEST(Hostile, IndirectPingsBeyondTheLimitAreNotRelayed) {
  Cluster c;
  c.add();
  for (std::uint32_t i = 0; i < 5000; ++i) {
    ByteVector bytes = encode(IndirectPing{SequenceNumber(i), Cluster::endpoint_of(8), "x", true,
                                           Cluster::endpoint_of(9), "y"});
    c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(9), bytes);
  }
  EXPECT_EQ(c[0].dropped(Drop::kQueueFull), 5000 - Swim::kAwaitedMax);
}

TEST(Hostile, AnEncryptingMemberAnswersPlainStreamsWithAnEncryptedError) {
  Cluster c;
  c.add();
  c[0].framer().keys().install(*crypto::AesKey::from(ByteVector(32))).value();
  c.add();
  c.join(1, 0);
  c.run(1s);
  ASSERT_EQ(c.events_of<JoinFailed>(1).size(), 1u);
  EXPECT_EQ(c.events_of<JoinFailed>(1)[0].why, name_of(Drop::kUnexpectedCipher));
  EXPECT_EQ(c[0].dropped(Drop::kNotEncrypted), 1u);
}

TEST(Hostile, APlainMemberTellsAnEncryptingOneWhy) {
  Cluster c;
  c.add();
  c.add();
  c[1].framer().keys().install(*crypto::AesKey::from(ByteVector(32))).value();
  c[1].framer().set_verify(false, true);
  c.join(1, 0);
  c.run(1s);
  ASSERT_EQ(c.events_of<JoinFailed>(1).size(), 1u);
  EXPECT_EQ(c.events_of<JoinFailed>(1)[0].why,
            "Remote state is encrypted and encryption is not configured");
}

TEST(Hostile, MembersBeyondTheLimitAreNotTaken) {
  Cluster c;
  Config small = Config::lan();
  small.members_max = 10;
  c.add(small);
  for (int i = 0; i < 100; ++i) {
    const std::string name = "x" + std::to_string(i);
    ByteVector bytes = encode(Alive{Incarnation(1), name, Cluster::endpoint_of(9), {}, Vsn()});
    c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(9), bytes);
  }
  EXPECT_EQ(c[0].members().size(), 10u);
  EXPECT_EQ(c[0].dropped(Drop::kTableFull), 91u);
}

}  // namespace
}  // namespace ginnel::swim
