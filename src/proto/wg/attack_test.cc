// What an attacker achieves on the way between two devices. The cases are those that
// docs/testing.md lists.
#include <gtest/gtest.h>

#include "proto/wg/testing/world.h"

namespace ginnel::wg {
namespace {

using namespace testing;

ByteVector last_of(const World& world, int from, MessageType type) {
  ByteVector out;
  for (const Sent& s : world.sent) {
    if (s.from == from && s.type == type) out = s.bytes;
  }
  return out;
}

// Case 7: who re-sends a captured packet from its own address gets neither the packet through nor
// the path.
TEST(Attack, CapturedDataFromElsewhereIsAReplayAndReportsNoSource) {
  World world;
  world.connect();
  (void)world.send(0, "hello");
  world.run_for(1s);
  const ByteVector captured = last_of(world, 0, MessageType::kData);
  EXPECT_EQ(world.deliver(1, captured, endpoint_of(6)).error(), Drop::kReplayed);
  EXPECT_EQ(world[1].received, std::vector<std::string>{"hello"});
  EXPECT_TRUE(world[1].authenticated.empty());
}

// Case 7: who is faster than the packet itself is reported, and moves nothing: what the device
// sends of its own accord still goes to the old place.
TEST(Attack, ARacedPacketDoesNotMoveWhereTheDeviceSends) {
  World world;
  world.connect();
  ByteVector raced(200);
  raced.resize(*world.device(0).seal(world.now, world[0].peer, bytes_of("raced"), raced));
  world.device(1).set_persistent_keepalive(world.now, world[1].peer, 5s);
  ASSERT_TRUE(world.deliver(1, raced, endpoint_of(6)));
  EXPECT_EQ(world[1].authenticated.size(), 1u);
  std::vector<Endpoint> sent_to;
  for (int i = 0; i < 20; ++i) {
    world.now = world.now + 1s;
    world.device(1).handle_timeout(world.now);
    ByteVector out(2200);
    while (const auto t = world.device(1).poll_transmit(world.now, out)) sent_to.push_back(t->to);
  }
  ASSERT_FALSE(sent_to.empty());
  for (const Endpoint& to : sent_to) EXPECT_EQ(to, endpoint_of(0));
}

// WireGuard section 5.3: under load only who proves to own its address costs a Diffie-Hellman.
TEST(Attack, UnderLoadAWrongCookieGetsACookieAndNoSession) {
  World world;
  world.device(1).set_under_load(true);
  world.begin(0);
  ByteVector initiation = last_of(world, 0, MessageType::kInitiation);
  for (std::size_t i = 1; i <= kCookieBytes; ++i) initiation[initiation.size() - i] = std::byte{0x5a};
  EXPECT_EQ(world.deliver(1, initiation).error(), Drop::kCookieDemanded);
  EXPECT_EQ(world.count(1, MessageType::kCookieReply), 1);
  EXPECT_EQ(world.count(1, MessageType::kResponse), 0);
}

// A cookie is of one address: stolen, it is worth nothing elsewhere.
TEST(Attack, ACookieOfAnotherAddressIsNoCookie) {
  World world;
  world.device(1).set_under_load(true);
  world.begin(0);
  world.run_for(6s);  // the second initiation carries the cookie
  const ByteVector initiation = last_of(world, 0, MessageType::kInitiation);
  EXPECT_EQ(world.deliver(1, initiation).error(), Drop::kReplayedTimestamp);
  EXPECT_EQ(world.deliver(1, initiation, endpoint_of(6)).error(), Drop::kCookieDemanded);
}

}  // namespace
}  // namespace ginnel::wg
