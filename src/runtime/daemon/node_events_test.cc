#include "runtime/daemon/node_events.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

constexpr NodeEvents::Time kAt{};

PeerInfo bob(PathKind kind, std::string where, PeerState state = PeerState::kOnline) {
  PeerInfo out;
  out.id = *Id::parse("C0190c3f2-6f3a-8c1d-9e2b-0011223344ff");
  out.name = "bob";
  out.state = state;
  out.path.kind = kind;
  if (kind == PathKind::kRelayUdp) {
    out.path.via = std::move(where);
    out.path.reason = "R_SYMMETRIC_NAT";
  } else {
    out.path.endpoint = std::move(where);
  }
  return out;
}

TEST(NodeEvents, APeerThatComesAndGoesIsToldOfOnceEach) {
  NodeEvents events;
  const auto came = events.note_peer(bob(PathKind::kDirect, "198.51.100.7:1"), kAt);
  ASSERT_EQ(came.size(), 1u);
  EXPECT_EQ(came[0]["event"], "peer_online");
  EXPECT_EQ(came[0]["text"], "bob is online via direct 198.51.100.7:1");
  EXPECT_EQ(came[0]["peer"]["name"], "bob");
  EXPECT_TRUE(events.note_peer(bob(PathKind::kDirect, "198.51.100.7:1"), kAt).empty());
  const auto went = events.note_peer(bob(PathKind::kNone, "", PeerState::kDown), kAt);
  ASSERT_EQ(went.size(), 1u);
  EXPECT_EQ(went[0]["event"], "peer_down");
  EXPECT_EQ(went[0]["text"], "bob is down, last via direct 198.51.100.7:1");
}
TEST(NodeEvents, AnotherPathCarriesFromToAndWhy) {
  NodeEvents events;
  events.note_peer(bob(PathKind::kPunched, "198.51.100.7:1"), kAt);
  const auto changed = events.note_peer(bob(PathKind::kRelayUdp, "hub-a"), kAt);
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0]["event"], "path_changed");
  EXPECT_EQ(changed[0]["from"]["endpoint"], "198.51.100.7:1");
  EXPECT_EQ(changed[0]["to"]["via"], "hub-a");
  EXPECT_EQ(changed[0]["code"], "R_SYMMETRIC_NAT");
  EXPECT_EQ(changed[0]["text"], "bob: punched 198.51.100.7:1 -> relay-udp hub-a");
}
TEST(NodeEvents, TheSameKindAtAnotherAddressIsRoaming) {
  NodeEvents events;
  events.note_peer(bob(PathKind::kDirect, "198.51.100.7:1"), kAt);
  const auto roamed = events.note_peer(bob(PathKind::kDirect, "203.0.113.5:9"), kAt);
  ASSERT_EQ(roamed.size(), 1u);
  EXPECT_EQ(roamed[0]["event"], "roamed");
}
TEST(NodeEvents, ASessionThatIsMadeAnewOverTheSamePathIsNoNews) {
  NodeEvents events;
  events.note_peer(bob(PathKind::kDirect, "198.51.100.7:1"), kAt);
  EXPECT_TRUE(events.note_peer(bob(PathKind::kNone, "", PeerState::kConnecting), kAt).empty());
  EXPECT_TRUE(events.note_peer(bob(PathKind::kDirect, "198.51.100.7:1"), kAt).empty());
}
TEST(NodeEvents, AddressesAreToldWhenTheyChangeAndNotAtTheStart) {
  NodeEvents events;
  const Address one = Address::v4(10, 0, 0, 1);
  const Address two = Address::v4(10, 0, 0, 2);
  EXPECT_FALSE(events.note_addresses({one, two}, kAt));
  EXPECT_FALSE(events.note_addresses({two, one}, kAt));
  const auto changed = events.note_addresses({two}, kAt);
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)["addresses"], NodeEvents::Document::array({"10.0.0.2"}));
}
TEST(NodeEvents, ANoticeIsNamedByItsCode) {
  using node::Notice;
  EXPECT_EQ(NodeEvents::notice({Notice::Level::kWarning, "E_NAME_CLASH", "two"}, kAt)["event"],
            "name_clash");
  const auto plain = NodeEvents::notice({Notice::Level::kInfo, "", "hm"}, kAt);
  EXPECT_EQ(plain["event"], "notice");
  EXPECT_TRUE(plain["code"].is_null());
}
TEST(NodeEvents, TheMemoryOfPeersIsBounded) {
  NodeEvents events;
  PeerInfo peer = bob(PathKind::kNone, "", PeerState::kDown);
  for (std::size_t i = 0; i <= NodeEvents::kPeersMax; ++i) {
    char text[40];
    std::snprintf(text, sizeof text, "C0190c3f2-6f3a-8c1d-9e2b-%012zx", i);
    peer.id = *Id::parse(text);
    events.note_peer(peer, kAt);
  }
  peer.state = PeerState::kOnline;  // the last one was one too many
  EXPECT_EQ(events.note_peer(peer, kAt).size(), 1u);
  EXPECT_EQ(events.note_peer(peer, kAt).size(), 1u);
}

}  // namespace
}  // namespace ginnel::runtime
