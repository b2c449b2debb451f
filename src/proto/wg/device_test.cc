#include "proto/wg/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/writer.h"
#include "proto/wg/padding.h"
#include "proto/wg/testing/world.h"

namespace ginnel::wg {
namespace {

using ::testing::ElementsAre;
using testing::endpoint_of;
using ::testing::IsEmpty;
using testing::Sent;
using testing::World;
using testing::WorldOptions;

ByteVector last_message_of(const World& world, int from, MessageType type) {
  for (auto it = world.sent.rbegin(); it != world.sent.rend(); ++it) {
    if (it->from == from && it->type == type) return it->bytes;
  }
  return {};
}

// --- handshake

TEST(Device, FirstPacketBeginsAHandshakeAndArrivesAfterOneRoundTrip) {
  World world;
  const auto answer = world.send(0, "hello");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), NotReady::kStaged);
  world.run_for(30ms);
  EXPECT_THAT(world[1].received, ElementsAre("hello"));
  ASSERT_EQ(world[0].established.size(), 1u);
  EXPECT_TRUE(world[0].established[0].is_initiator);
  ASSERT_EQ(world[1].established.size(), 1u);
  EXPECT_FALSE(world[1].established[0].is_initiator);
  EXPECT_EQ(world[0].device->current_key_pair(world[0].peer)->local_index(),
            world[0].established[0].index);
}

// Section 6.1: the responder may not send before the initiator used the keys.
TEST(Device, ResponderSendsOnlyAfterConfirmationByKeepaliveIfNothingElse) {
  World world;
  world.begin(0);
  world.run_for(15ms);  // the initiation arrived, the response is on its way
  EXPECT_EQ(world.count(1, MessageType::kResponse), 1);
  EXPECT_EQ(world.device(1).current_key_pair(world[1].peer), nullptr);
  EXPECT_EQ(world.send(1, "early").error(), NotReady::kStaged);
  world.run_for(1s);
  EXPECT_EQ(world.keepalives(0), 1);
  EXPECT_THAT(world[0].received, ElementsAre("early"));
  EXPECT_EQ(world.count(1, MessageType::kInitiation), 0) << "its own attempt was not needed";
  EXPECT_TRUE(world.send(1, "more"));
}

TEST(Device, PlaintextIsPaddedTo16AndNotPastTheMtu) {
  World world;
  world.connect();
  EXPECT_EQ(world.send(0, "x").value(), 16 + kDataOverheadBytes);
  EXPECT_EQ(world.send(0, std::string(1415, 'x')).value(), 1420 + kDataOverheadBytes);
  EXPECT_EQ(world.send(0, std::string(1430, 'x')).value(), 1430 + kDataOverheadBytes);
}

TEST(Device, SealsNothingForAStrangerOrIntoTooLittleRoom) {
  World world;
  ByteVector out(40);
  auto& device = world.device(0);
  EXPECT_EQ(device.seal(world.now, PeerHandle(77), {}, out).error(), NotReady::kNoSuchPeer);
  const std::string text(100, 'x');
  EXPECT_EQ(device.seal(world.now, world[0].peer, bytes_of(text), out).error(),
            NotReady::kTooLarge);
}

TEST(Device, KeepsTheNewest128StagedPackets) {
  World world;
  for (int i = 0; i < 200; ++i) (void)world.send(0, std::to_string(i));
  world.run_for(1s);
  ASSERT_EQ(world[1].received.size(), Device::kStagedMax);
  EXPECT_EQ(world[1].received.front(), "72");
  EXPECT_EQ(world[1].received.back(), "199");
}

TEST(Device, StagedPacketsWaitForARoute) {
  World world({.config = {}, .knows_each_other = false});
  world.add(1);
  world[0].peer = world.device(0).add_peer(world.now, world.device(1).public_key(), {}).value();
  (void)world.send(0, "hello");
  world.run_for(2s);
  EXPECT_THAT(world.sent, IsEmpty());
  world.device(0).set_endpoint(world.now, world[0].peer, kSocket, endpoint_of(1));
  world.run_for(1s);
  EXPECT_THAT(world[1].received, ElementsAre("hello"));
}

// Both sides keep their own attempt and answer the other's.
TEST(Device, SimultaneousInitiationsLeaveASessionThatBothCanUseAtOnce) {
  World world;
  (void)world.send(0, "from a");
  (void)world.send(1, "from b");
  world.run_for(100ms);
  EXPECT_THAT(world[0].received, ElementsAre("from b"));
  EXPECT_THAT(world[1].received, ElementsAre("from a"));
  EXPECT_TRUE(world.send(0, "again a"));
  EXPECT_TRUE(world.send(1, "again b"));
  world.run_for(100ms);
  EXPECT_THAT(world[0].received, ElementsAre("from b", "again b"));
  EXPECT_THAT(world[1].received, ElementsAre("from a", "again a"));
}

// Both are initiators of their current pairs, so both rekey at one moment.
TEST(Device, SidesThatRekeyAtOnceLoseNothingThatIsOnTheWay) {
  World world;
  (void)world.send(0, "from a");
  (void)world.send(1, "from b");
  world.run_for(1s);
  const std::size_t before = world[0].received.size();
  ASSERT_EQ(world[1].received.size(), before);
  constexpr int kPackets = 130 * 200;  // over a rekey
  for (int i = 0; i < kPackets; ++i) {
    ASSERT_TRUE(world.send(0, std::to_string(i)));
    ASSERT_TRUE(world.send(1, std::to_string(i)));
    world.run_for(5ms);
  }
  world.run_for(1s);
  EXPECT_GE(world[0].established.size(), 2u);
  EXPECT_EQ(world[0].received.size(), before + kPackets);
  EXPECT_EQ(world[1].received.size(), before + kPackets);
}

TEST(Device, ReorderedDataArrivesOnceEach) {
  World world;
  world.connect();
  int n = 0;
  world.extra_delay = [&n](const Sent&) { return Nanoseconds(5ms) * (n++ % 7); };
  std::set<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(world.send(0, std::to_string(i)));
    expected.insert(std::to_string(i));
    world.run_for(1ms);
  }
  world.run_for(1s);
  EXPECT_EQ(world[1].received.size(), expected.size());
  EXPECT_EQ((std::set<std::string>(world[1].received.begin(), world[1].received.end())), expected);
}

TEST(Device, HeavyLossOnlyDelaysTheHandshake) {
  World world;
  Rng rng = Rng::from_seed(4);
  world.lose = [&rng](const Sent&) { return rng.chance(0.5); };
  (void)world.send(0, "hello");
  world.run_for(60s);
  EXPECT_FALSE(world[0].established.empty());
  EXPECT_FALSE(world[1].established.empty());
}

// --- what must not be taken

TEST(Device, ReplayedInitiationIsSilentlyDropped) {
  World world;
  world.connect();
  world.run_for(1s);
  const auto before = world.sent.size();
  const auto replayed = world.deliver(1, last_message_of(world, 0, MessageType::kInitiation));
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error(), Drop::kReplayedTimestamp);
  EXPECT_EQ(world.sent.size(), before);
  EXPECT_TRUE(world.send(1, "still there"));
}

TEST(Device, ReplayedResponseIsUnknown) {
  World world;
  world.connect();
  const auto replayed = world.deliver(0, last_message_of(world, 1, MessageType::kResponse));
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error(), Drop::kUnknownReceiver);
}

TEST(Device, ReplayedDataIsDropped) {
  World world;
  world.connect();
  ASSERT_TRUE(world.send(0, "once"));
  world.run_for(1s);
  EXPECT_EQ(world.deliver(1, last_message_of(world, 0, MessageType::kData)).error(),
            Drop::kReplayed);
  EXPECT_THAT(world[1].received, ElementsAre("once"));
}

// wireguard-go HandshakeInitiationRate.
TEST(Device, InitiationsOfOnePeerAreAnsweredAtMostEvery20Milliseconds) {
  World world({.config = {}, .knows_each_other = false, .seed = 3});
  world.add(1);
  Config eager;
  Rng rng = Rng::from_seed(3);
  Device initiator(eager, crypto::SessionSecret::generate(rng), Rng::from_seed(5), world.now,
                   World::wall_at(world.now));
  // Node 0's key again, but with a fresh attempt each time: remove and add.
  ASSERT_EQ(initiator.public_key(), world.device(0).public_key());
  int answered = 0;
  for (int i = 0; i < 6; ++i) {
    const auto peer = initiator.add_peer(world.now, world.device(1).public_key(), {}).value();
    initiator.set_endpoint(world.now, peer, kSocket, endpoint_of(1));
    initiator.begin_handshake(world.now, peer);
    ByteVector out(kInitiationBytes);
    ASSERT_TRUE(initiator.poll_transmit(world.now, out));
    answered += world.deliver(1, out).has_value();
    initiator.remove_peer(peer);
    world.now = world.now + 5ms;
  }
  EXPECT_EQ(answered, 2) << "at 0 and 20 ms of 0, 5, .. 25 ms, as wireguard-go did";
  EXPECT_EQ(world[1].drops[Drop::kFlood], 4);
}

TEST(Device, EveryTruncationOfEveryMessageIsDropped) {
  World world;
  world.connect();
  for (const auto type : {MessageType::kInitiation, MessageType::kResponse, MessageType::kData}) {
    for (const int from : {0, 1}) {
      const ByteVector whole = last_message_of(world, from, type);
      for (std::size_t size = 0; size < whole.size(); ++size) {
        ByteVector cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(world.deliver(1 - from, cut)) << size;
      }
    }
  }
}

TEST(Device, DataForAnIndexNobodyHasIsDropped) {
  World world;
  world.connect();
  ByteVector packet(kDataOverheadBytes);
  DataHeader{ReceiverIndex(12345), 0}.write(packet);
  EXPECT_EQ(world.deliver(1, packet).error(), Drop::kUnknownReceiver);
}

TEST(Device, ForgedResponseDoesNotEndTheAttempt) {
  World world;
  world.lose = [](const Sent& s) { return s.type == MessageType::kResponse; };
  world.begin(0);
  world.run_for(100ms);
  const ByteVector good = last_message_of(world, 1, MessageType::kResponse);
  ByteVector forged = good;
  forged[50] ^= std::byte{1};
  std::fill(forged.end() - kMacsBytes, forged.end(), std::byte{0});
  CookieJar(world.device(0).public_key(), 120s).add_macs(world.now, forged);
  EXPECT_EQ(world.deliver(0, forged).error(), Drop::kNotAuthentic);
  EXPECT_TRUE(world.deliver(0, good));
  EXPECT_EQ(world[0].established.size(), 1u);
}

TEST(Device, ItsOwnInitiationReflectedIsDropped) {
  World world;
  Rng rng = Rng::from_seed(1);
  Device self({}, crypto::SessionSecret::generate(rng), Rng::from_seed(8), world.now,
              World::wall_at(world.now));
  EXPECT_EQ(self.add_peer(world.now, self.public_key(), {}).error(), PeerError::kOwnKey);
  // Written by hand with the key of node 0, to node 0.
  Rng again = Rng::from_seed(1);
  const LocalKeys keys(crypto::SessionSecret::generate(again));
  const auto remote = RemoteKeys::make(keys, keys.public_key, {}).value();
  Initiation message;
  ASSERT_TRUE(create_initiation(keys, remote, crypto::SessionSecret::generate(again),
                                ReceiverIndex(1), Timestamp::of({1}), message));
  ByteVector bytes(kInitiationBytes);
  message.write(bytes);
  CookieJar(keys.public_key, 120s).add_macs(world.now, bytes);
  EXPECT_EQ(world.deliver(0, bytes).error(), Drop::kOwnKey);
}

TEST(Device, DifferentPresharedKeysGiveNoSession) {
  World world({.config = {}, .knows_each_other = false});
  world.add(1);
  PeerConfig config;
  Rng rng = Rng::from_seed(2);
  config.preshared = crypto::PresharedKey::generate(rng);
  world[0].peer =
      world.device(0).add_peer(world.now, world.device(1).public_key(), std::move(config)).value();
  world.device(0).set_endpoint(world.now, world[0].peer, kSocket, endpoint_of(1));
  (void)world.send(0, "hello");
  world.run_for(20s);
  EXPECT_THAT(world[0].established, IsEmpty());
  EXPECT_THAT(world[1].established, IsEmpty());
  EXPECT_GT(world[0].drops[Drop::kNotAuthentic], 0);
}

// --- cookies

TEST(Device, UnderLoadACookieIsDemandedAndTheNextInitiationCarriesIt) {
  World world;
  world.device(1).set_under_load(true);
  (void)world.send(0, "hello");
  world.run_for(1s);
  EXPECT_EQ(world.count(1, MessageType::kCookieReply), 1);
  EXPECT_EQ(world.count(1, MessageType::kResponse), 0);
  EXPECT_EQ(world.count(0, MessageType::kInitiation), 1) << "a cookie makes nobody send at once";
  world.run_for(5s);
  EXPECT_THAT(world[1].received, ElementsAre("hello"));
  EXPECT_EQ(world.count(1, MessageType::kCookieReply), 1);
}

TEST(Device, InitiatorUnderLoadDemandsACookieOfTheResponderToo) {
  World world;
  world.device(0).set_under_load(true);
  (void)world.send(0, "hello");
  world.run_for(1s);
  EXPECT_EQ(world.count(0, MessageType::kCookieReply), 1);
  EXPECT_THAT(world[0].established, IsEmpty());
  world.run_for(5s);
  EXPECT_THAT(world[1].received, ElementsAre("hello"));
}

TEST(Device, TooManyHandshakesASecondAreLoad) {
  Config config;
  config.handshakes_per_second_max = 3;
  World world({.config = config});
  world.connect();
  world.run_for(1s);
  const ByteVector initiation = last_message_of(world, 0, MessageType::kInitiation);
  std::vector<Drop> drops;
  for (int i = 0; i < 5; ++i) drops.push_back(world.deliver(1, initiation).error());
  EXPECT_THAT(drops,
              ElementsAre(Drop::kReplayedTimestamp, Drop::kReplayedTimestamp,
                          Drop::kReplayedTimestamp, Drop::kCookieDemanded, Drop::kCookieDemanded));
  world.run_for(2s);
  EXPECT_EQ(world.deliver(1, initiation).error(), Drop::kReplayedTimestamp);
}

TEST(Device, UnderLoadEvenOwnersOfTheirAddressAreRateLimited) {
  World world;
  world.device(1).set_under_load(true);
  world.begin(0);
  world.run_for(6s);
  ASSERT_FALSE(world[0].established.empty());
  const ByteVector with_mac2 = last_message_of(world, 0, MessageType::kInitiation);
  for (int i = 0; i < 10; ++i) (void)world.deliver(1, with_mac2);
  EXPECT_EQ(world[1].drops[Drop::kReplayedTimestamp], 5);
  EXPECT_EQ(world[1].drops[Drop::kRateLimited], 5);
}

TEST(Device, WrongMac1MeansSilenceEvenUnderLoad) {
  World world;
  world.device(1).set_under_load(true);
  ByteVector bytes(kInitiationBytes);
  Initiation().write(bytes);
  EXPECT_EQ(world.deliver(1, bytes).error(), Drop::kWrongMac1);
  EXPECT_THAT(world.sent, IsEmpty());
}

TEST(Device, CookieReplyMovesNoEndpointAndReportsNoSource) {
  World world;
  world.device(1).set_under_load(true);
  world.begin(0);
  ByteVector reply;
  world.run_for(1s);
  reply = last_message_of(world, 1, MessageType::kCookieReply);
  const auto opened = world.deliver(0, reply, endpoint_of(9));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->type, MessageType::kCookieReply);
  EXPECT_THAT(world[0].authenticated, IsEmpty());
}

// --- roaming

TEST(Device, AuthenticatedSourceIsReportedOnceAndNotActedUpon) {
  World world;
  world.connect();
  const auto seal = [&](std::string_view text) {
    ByteVector out(200);
    const auto size = world.device(0).seal(world.now, world[0].peer, bytes_of(text), out);
    out.resize(*size);
    return out;
  };
  const Endpoint elsewhere = endpoint_of(5, 999);
  EXPECT_TRUE(world.deliver(1, seal("a"), elsewhere));
  EXPECT_TRUE(world.deliver(1, seal("b"), elsewhere));
  ASSERT_EQ(world[1].authenticated.size(), 1u);
  EXPECT_EQ(world[1].authenticated[0].from, (Route{kSocket, elsewhere}));
  ByteVector forged = seal("c");
  forged.back() ^= std::byte{1};
  EXPECT_FALSE(world.deliver(1, forged, endpoint_of(6)));
  EXPECT_EQ(world[1].authenticated.size(), 1u) << "only authenticated packets count";
  // Only the owner moves it: keepalives still go to the old place.
  world.run_for(11s);
  EXPECT_GE(world.keepalives(1), 1);
  world.device(1).set_endpoint(world.now, world[1].peer, kSocket, elsewhere);
  EXPECT_TRUE(world.deliver(1, seal("d"), elsewhere));
  EXPECT_EQ(world[1].authenticated.size(), 1u);
}

TEST(Device, ResponseGoesWhereTheInitiationCameFrom) {
  World world;
  world.device(0).set_endpoint(world.now, world[0].peer, kSocket, endpoint_of(1));
  world.device(0).begin_handshake(world.now, world[0].peer);
  ByteVector out(kInitiationBytes);
  ASSERT_TRUE(world.device(0).poll_transmit(world.now, out));
  auto& responder = world.device(1);
  ASSERT_TRUE(responder.open(world.now, PathId(4), endpoint_of(7), out));
  const auto transmit = responder.poll_transmit(world.now, out);
  ASSERT_TRUE(transmit);
  EXPECT_EQ(transmit->path, PathId(4));
  EXPECT_EQ(transmit->to, endpoint_of(7));
  EXPECT_EQ(transmit->size, kResponseBytes);
}

// --- peers

TEST(Device, PeersThatCannotBeAreRefused) {
  World world;
  auto& device = world.device(0);
  EXPECT_EQ(device.add_peer(world.now, world.device(1).public_key(), {}).error(),
            PeerError::kExists);
  EXPECT_EQ(device.add_peer(world.now, {}, {}).error(), PeerError::kWeakKey);
  EXPECT_EQ(device.peers(), 1u);
}

TEST(Device, RemovedPeerGivesBackItsKeyPairsAndItsIndices) {
  World world;
  world.connect();
  world.device(1).remove_peer(world[1].peer);
  EXPECT_EQ(world.device(1).receiver_indices(), 0u);
  EXPECT_EQ(world.device(1).find_peer(world.device(0).public_key()), std::nullopt);
  ByteVector out(100);
  (void)world.send(0, "to nobody");
  world.run_for(1s);
  EXPECT_EQ(world[1].retired.size(), 1u);
  EXPECT_EQ(world[1].drops[Drop::kUnknownReceiver], 1);
}

TEST(Device, AddedPairsAreThoseThatComeBackRetired) {
  Config config;
  config.rekey_after_time = 1s;
  config.rekey_timeout = 200ms;
  World world({.config = config});
  world.connect();
  for (int i = 0; i < 200; ++i) {
    (void)world.send(i % 2, "x");
    world.run_for(100ms);
  }
  EXPECT_GT(world[0].added, 10);
  world.device(0).remove_peer(world[0].peer);
  world.run_for(0s);
  while (auto event = world.device(0).poll_event()) {
    if (auto* e = std::get_if<KeyPairRetired>(&*event)) {
      world[0].retired.push_back(std::move(e->key_pair));
    }
  }
  EXPECT_EQ(static_cast<int>(world[0].retired.size()), world[0].added);
  EXPECT_EQ(world.device(0).receiver_indices(), 0u);
}

// A stamp that a run with a better clock sent must not lock the next run out.
TEST(Device, RestartWithAClockSetBackIsAnsweredWhenItsLastStampWasSaved) {
  World world;
  world.connect();
  Config restarted;
  restarted.last_timestamp_sent = world.device(0).last_timestamp_sent();
  for (const bool saved : {false, true}) {
    Rng rng = Rng::from_seed(1);
    Device device(saved ? restarted : Config{}, crypto::SessionSecret::generate(rng),
                  Rng::from_seed(50 + saved), world.now, Wall{1'000'000'000});
    const auto peer = device.add_peer(world.now, world.device(1).public_key(), {}).value();
    device.set_endpoint(world.now, peer, kSocket, endpoint_of(1));
    device.begin_handshake(world.now, peer);
    ByteVector out(kInitiationBytes);
    ASSERT_TRUE(device.poll_transmit(world.now, out));
    EXPECT_EQ(world.deliver(1, out).has_value(), saved);
  }
}

TEST(Device, GreatestTimestampOfAnEarlierRunRefusesReplays) {
  World world;
  world.connect();
  const ByteVector old = last_message_of(world, 0, MessageType::kInitiation);
  const auto greatest = world.device(1).greatest_timestamp_accepted(world[1].peer);
  ASSERT_TRUE(greatest);
  world.device(1).remove_peer(world[1].peer);
  PeerConfig config;
  config.greatest_accepted = *greatest;
  ASSERT_TRUE(world.device(1).add_peer(world.now, world.device(0).public_key(), std::move(config)));
  EXPECT_EQ(world.deliver(1, old).error(), Drop::kReplayedTimestamp);
}

// --- forwarding threads

// The owner's rx thread opens data itself; the Device learns of it by facts.
TEST(Device, ConfirmationByAForwardingThreadComesAsFacts) {
  World world;
  KeyPair* next = nullptr;
  (void)world.send(0, "hello");
  world.lose = [](const Sent& s) { return s.type == MessageType::kData; };
  world.run_for(100ms);
  const ByteVector data = last_message_of(world, 0, MessageType::kData);
  ASSERT_FALSE(data.empty());
  EXPECT_EQ(world.device(1).current_key_pair(world[1].peer), nullptr);
  const auto header = DataHeader::parse(data);
  ASSERT_TRUE(header);

  // A pair is announced by event; here it is reached through the world's own device.
  world.device(1).handle_data_facts(world.now, header->receiver,
                                    {.confirmed = true, .from = Route{kSocket, endpoint_of(8)}});
  next = world.device(1).current_key_pair(world[1].peer);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->local_index(), header->receiver);
  (void)world.send(1, "answer");
  ASSERT_EQ(world[1].established.size(), 1u);
  ASSERT_EQ(world[1].authenticated.size(), 1u);
  world.device(1).handle_data_facts(world.now, ReceiverIndex(1), {.confirmed = true, .from = {}});
}

// --- the one thing that must never happen

TEST(Device, NoKeyAndCounterIsEverUsedTwiceOverManyRekeysWithLoss) {
  Config config;
  config.rekey_after_time = 1s;
  config.rekey_timeout = 300ms;
  config.rekey_jitter = 50ms;
  config.keepalive_timeout = 500ms;
  config.reject_after_time = 4s;
  World world({.config = config});
  Rng rng = Rng::from_seed(12);
  world.lose = [&rng](const Sent&) { return rng.chance(0.2); };
  for (int i = 0; i < 3000; ++i) {
    (void)world.send(static_cast<int>(rng.below(2)), std::to_string(i));
    world.run_for(rng.between(0ms, 60ms));
  }
  // The receiver index names the key: it must not come back for another one either, so the pair
  // (index, counter) stands for (key, counter).
  std::set<std::tuple<int, std::uint32_t, std::uint64_t>> used;
  std::set<std::uint32_t> keys;
  for (const Sent& s : world.sent) {
    if (s.type != MessageType::kData) continue;
    const auto header = DataHeader::parse(s.bytes);
    keys.insert(header->receiver.value());
    EXPECT_TRUE(used.emplace(s.from, header->receiver.value(), header->counter).second);
  }
  EXPECT_GT(keys.size(), 60u);
  EXPECT_GT(world[0].received.size() + world[1].received.size(), 2000u);
}

}  // namespace
}  // namespace ginnel::wg
