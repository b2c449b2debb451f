// Initiations of static keys that are no peer's: asked about, bounded, forgotten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/wg/device.h"
#include "proto/wg/testing/world.h"

namespace ginnel::wg {
namespace {

using ::testing::ElementsAre;
using testing::endpoint_of;
using ::testing::IsEmpty;
using testing::World;

struct Strangers : ::testing::Test {
  World world{{.config = {}, .knows_each_other = false}};
  Strangers() { world.add(0); }

  // An initiation to node 1 from the n-th stranger.
  ByteVector initiation_of(int n) {
    Rng rng = Rng::from_seed(1000 + static_cast<std::uint64_t>(n));
    Device stranger({}, crypto::SessionSecret::generate(rng), rng.fork("wg"), world.now,
                    World::wall_at(world.now));
    const auto peer = stranger.add_peer(world.now, world.device(1).public_key(), {}).value();
    stranger.set_endpoint(world.now, peer, kSocket, endpoint_of(1));
    stranger.begin_handshake(world.now, peer);
    ByteVector out(kInitiationBytes);
    EXPECT_TRUE(stranger.poll_transmit(world.now, out));
    return out;
  }
};

TEST_F(Strangers, AreReportedAndAnsweredOnceAccepted) {
  (void)world.send(0, "hello");
  world.run_for(100ms);
  ASSERT_EQ(world[1].unknown.size(), 1u);
  EXPECT_EQ(world[1].unknown[0].key, world.device(0).public_key());
  EXPECT_EQ(world.count(1, MessageType::kResponse), 0);
  const auto peer = world.device(1).accept(world.now, world[1].unknown[0].token, {});
  ASSERT_TRUE(peer);
  world[1].peer = *peer;
  world.run_for(100ms);
  (void)world.send(1, "");
  world.run_for(100ms);
  EXPECT_THAT(world[1].received, ElementsAre("hello"));
  EXPECT_EQ(world.device(1).accept(world.now, world[1].unknown[0].token, {}).error(),
            PeerError::kNoSuchToken);
}

TEST_F(Strangers, AreForgottenWhenRefusedOrAfterFiveSeconds) {
  (void)world.deliver(1, initiation_of(1));
  (void)world.deliver(1, initiation_of(2));
  ASSERT_EQ(world[1].unknown.size(), 2u);
  world.device(1).refuse(world[1].unknown[0].token);
  EXPECT_FALSE(world.device(1).accept(world.now, world[1].unknown[0].token, {}));
  world.run_for(5s);
  EXPECT_FALSE(world.device(1).accept(world.now, world[1].unknown[1].token, {}));
  EXPECT_EQ(world.device(1).peers(), 0u);
  EXPECT_EQ(world.device(1).receiver_indices(), 0u);
}

TEST_F(Strangers, RepeatedInitiationOfOneKeyIsReportedOnce) {
  world.begin(0);
  world.run_for(5s + 400ms);  // a second initiation came, just after the first was forgotten
  EXPECT_EQ(world[1].unknown.size(), 2u);
  (void)world.deliver(1, initiation_of(1));
  world.now = world.now + 1s;
  (void)world.deliver(1, initiation_of(1));
  EXPECT_EQ(world[1].unknown.size(), 3u);
}

// Anybody can name any static key: only who holds it can write the timestamp.
TEST_F(Strangers, WhoOnlyNamesAKeyIsNotReported) {
  ByteVector bytes = initiation_of(1);
  bytes[100] ^= std::byte{1};  // in the sealed timestamp
  std::fill(bytes.end() - kMacsBytes, bytes.end(), std::byte{0});
  CookieJar(world.device(1).public_key(), 120s).add_macs(world.now, bytes);
  EXPECT_EQ(world.deliver(1, bytes).error(), Drop::kNotAuthentic);
  EXPECT_THAT(world[1].unknown, IsEmpty());
}

// docs/design.md section 5: at most 256 provisional sessions, a cookie demanded beyond 64.
TEST_F(Strangers, Beyond64ACookieIsDemandedAndKnownPeersStillComeIn) {
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(world.deliver(1, initiation_of(i)).error(), Drop::kUnknownInitiator) << i;
  }
  EXPECT_EQ(world.deliver(1, initiation_of(64)).error(), Drop::kCookieDemanded);
  EXPECT_EQ(world[1].unknown.size(), 64u);
  world.run_for(5s);
  EXPECT_EQ(world.deliver(1, initiation_of(65)).error(), Drop::kUnknownInitiator);
}

TEST_F(Strangers, ProvisionalPeersCountAndExpireUnlessKept) {
  std::vector<PeerHandle> handles;
  for (int i = 0; i < 64; ++i) {
    (void)world.deliver(1, initiation_of(i));
    PeerConfig config;
    config.is_provisional = true;
    const auto peer =
        world.device(1).accept(world.now, world[1].unknown.back().token, std::move(config));
    ASSERT_TRUE(peer);
    handles.push_back(*peer);
  }
  EXPECT_EQ(world.deliver(1, initiation_of(64)).error(), Drop::kCookieDemanded);
  world.device(1).keep(handles[0]);
  EXPECT_EQ(world.deliver(1, initiation_of(65)).error(), Drop::kUnknownInitiator);
  world.run_for(6s);
  EXPECT_EQ(world[1].expired.size(), 63u);
  EXPECT_EQ(world.device(1).peers(), 1u);
  EXPECT_EQ(world.device(1).receiver_indices(), 1u);
}

TEST_F(Strangers, NeverMoreThan256Wait) {
  Config config;
  World flooded({.config = config, .knows_each_other = false});
  // Each comes with its cookie: the owner of an address asks twice.
  auto& device = flooded.device(1);
  int reported = 0;
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    const Endpoint from = endpoint_of(2, static_cast<std::uint16_t>(1000 + i));
    Rng rng = Rng::from_seed(2000 + static_cast<std::uint64_t>(i));
    const LocalKeys keys(crypto::SessionSecret::generate(rng));
    const auto remote = RemoteKeys::make(keys, device.public_key(), {}).value();
    CookieJar jar(device.public_key(), 120s);
    for (int attempt = 0; attempt < 2; ++attempt) {
      Initiation message;
      (void)create_initiation(keys, remote, crypto::SessionSecret::generate(rng), ReceiverIndex(9),
                              Timestamp::of(World::wall_at(flooded.now)), message);
      ByteVector bytes(kInitiationBytes);
      message.write(bytes);
      jar.add_macs(flooded.now, bytes);
      const Endpoint source{Address::v4(0x0a000000 + static_cast<std::uint32_t>(i)), from.port};
      const Drop drop = flooded.deliver(1, bytes, source).error();
      reported += drop == Drop::kUnknownInitiator;
      refused += drop == Drop::kTooManyUnknown;
      if (drop != Drop::kCookieDemanded) break;
      // The reply goes out of the world: make it again from the wire log.
      (void)jar.consume_reply(flooded.now, *CookieReply::parse(flooded.sent.back().bytes));
    }
  }
  EXPECT_EQ(reported, 256);
  EXPECT_EQ(refused, 44);
}

}  // namespace
}  // namespace ginnel::wg
