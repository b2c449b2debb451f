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

// A byte a second: the deadline is of the whole exchange, not of each read.
TEST(Hostile, SlowStreamsAreClosedInTimeAndDoNotKeepOthersOut) {
  Cluster c;
  c.start(2);
  std::vector<StreamId> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(*c[0].accept_stream(c.now(), Cluster::endpoint_of(9)));
  }
  ByteVector request;
  write(PushPullHeader{true, 50, 0}, request);
  for (int second = 0; second < 9; ++second) {
    for (const StreamId stream : slow) {
      c[0].handle_stream_data(c.now(), stream,
                              ConstBytes(request).subspan(static_cast<std::size_t>(second), 1));
    }
    c.settle(0);
    c.run(1s);
  }
  EXPECT_GE(c[0].stream_count(), 200u);
  const std::size_t newcomer = c.add();
  c.join(newcomer, 0);
  c.run(500ms);
  EXPECT_EQ(c.events_of<JoinDone>(newcomer).size(), 1u);
  c.run(1s);
  EXPECT_EQ(c[0].stream_count(), 0u);
}

// memberlist has no replay protection; the incarnation numbers have to do.
TEST(Hostile, ReplayedMessagesChangeNothing) {
  Cluster c;
  c.start(3);
  ASSERT_TRUE(c[1].set_meta(c.now(), bytes_of("new")));
  c.settle(1);
  c.run(3s);
  ASSERT_EQ(c[0].member("n1")->incarnation, Incarnation(2));
  c.clear_events();
  const std::vector<ByteVector> captured = {
      encode(Alive{Incarnation(1), "n1", Cluster::endpoint_of(1), bytes_of("old"), Vsn()}),
      encode(Suspect{Incarnation(1), "n1", "n2"}), encode(Dead{Incarnation(1), "n1", "n2"}),
      encode(Dead{Incarnation(1), "n1", "n1"}), encode(Ack{SequenceNumber(1), {}})};
  for (int i = 0; i < 100; ++i) {
    for (ByteVector message : captured) {
      c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(9), message);
    }
  }
  c.settle(0);
  c.run(30s);
  EXPECT_EQ(c.state(0, 1), State::kAlive);
  EXPECT_EQ(text_of(c[0].member("n1")->meta), "new");
  EXPECT_EQ(c[0].dropped(Drop::kUnmatched), 100u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(c.events_of<Suspected>(i).empty()) << i;
}

// It made serf 0.9.4 exit with a panic.
TEST(Hostile, AVsnOfThreeBytesInAPushPullIsTakenAsNone) {
  Cluster c;
  c.start(2);
  ByteVector request;
  write(PushPullHeader{true, 1, 0}, request);
  write(NodeState{"short", Cluster::endpoint_of(9), {}, Incarnation(1), State::kAlive, Vsn()},
        request);
  std::string text = to_hex(request);
  text.replace(text.find("a6010502000000"), 14, "a3010502");
  const auto stream = c[0].accept_stream(c.now(), Cluster::endpoint_of(9));
  c[0].handle_stream_data(c.now(), *stream, *from_hex(text));
  c.settle(0);
  ASSERT_TRUE(c[0].member("short"));
  EXPECT_EQ(c[0].member("short")->vsn, kNoVsn);
  EXPECT_EQ(c.state(0, 1), State::kAlive);
}

TEST(Hostile, AWrongKeyIsCountedAndDoesNotGetIn) {
  Cluster c;
  for (std::size_t i = 0; i < 2; ++i) {
    c.add();
    c[i].framer().keys().install(*crypto::AesKey::from(ByteVector(32, std::byte(i)))).value();
  }
  c.join(1, 0);
  c.run(11s);
  EXPECT_EQ(c.events_of<JoinFailed>(1).size(), 1u);
  EXPECT_EQ(c[0].dropped(Drop::kWrongKey), 1u);
  EXPECT_EQ(c[0].alive_count(), 1u);
  ByteVector ping = encode(Ping{SequenceNumber(1), "n0", Cluster::endpoint_of(1), "n1"}), sealed;
  Rng rng = Rng::from_seed(1);
  c[1].framer().seal_datagram(ping, {}, rng, sealed);
  c[0].handle_datagram(c.now(), kSocket, Cluster::endpoint_of(1), sealed);
  EXPECT_EQ(c[0].dropped(Drop::kWrongKey), 2u);
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

// 384 streams of 40 MiB each would be 15 GiB.
TEST(Hostile, AllStreamsTogetherHoldABoundedNumberOfBytes) {
  Cluster c;
  c.start(2);
  ByteVector request;
  write(PushPullHeader{true, kPushPullNodesMax, kStreamBytesMax}, request);
  const ByteVector node = [] {
    ByteVector out;
    const ByteVector meta(kMetaBytesMax);
    write(NodeState{"x", Cluster::endpoint_of(9), meta, Incarnation(1), State::kAlive, Vsn()}, out);
    return out;
  }();
  ByteVector megabyte;
  while (megabyte.size() < 1u << 20) megabyte.insert(megabyte.end(), node.begin(), node.end());
  for (int i = 0; i < 100; ++i) {
    const auto stream = c[0].accept_stream(c.now(), Cluster::endpoint_of(9));
    ASSERT_TRUE(stream);
    c[0].handle_stream_data(c.now(), *stream, request);
    c[0].handle_stream_data(c.now(), *stream, megabyte);
  }
  c.settle(0);
  EXPECT_GT(c[0].dropped(Drop::kQueueFull), 30u);
  EXPECT_LT(c[0].stream_count(), 66u);
  c.run(11s);
  EXPECT_EQ(c[0].stream_count(), 0u);
  const std::size_t newcomer = c.add();  // what they held is free again
  c.join(newcomer, 0);
  c.run(1s);
  EXPECT_EQ(c.events_of<JoinDone>(newcomer).size(), 1u);
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
