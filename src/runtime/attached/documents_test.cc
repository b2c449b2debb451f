// What the daemon writes is what an attached program reads.
#include "runtime/attached/documents.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "runtime/daemon/body.h"
#include "runtime/daemon/documents.h"

namespace ginnel::runtime {
namespace {

using nlohmann::json;

TEST(AttachedDocuments, APeersRowIsReadAsItWasWritten) {
  PeerInfo peer;
  peer.id = *Id::parse("C0190c3f2-6f3a-8c1d-9e2b-0011223344ff");
  peer.name = "bob";
  peer.addresses = {"10.66.0.2", "fd00::2"};
  peer.state = PeerState::kConnecting;
  peer.path = {.kind = PathKind::kPunched,
               .via = "",
               .endpoint = "192.0.2.1:7701",
               .reason = "",
               .rtt = std::chrono::milliseconds(250),
               .loss = 0.5,
               .mtu = 1420};
  peer.rx_bytes = 1;
  peer.tx_bytes = std::uint64_t{1} << 40;
  peer.last_seen = std::chrono::system_clock::time_point(std::chrono::milliseconds(1767225600123));
  peer.losses = {.messages_not_sent = 1,
                 .messages_unknown = 2,
                 .lane_packets = 3,
                 .ip_packets = 4,
                 .frames = 5};
  const json row = peer_json(peer, {});
  EXPECT_EQ(peer_json(peer_of(row), {}), row);
  EXPECT_EQ(peer_of(row).id, peer.id);
  EXPECT_EQ(peer_of(row).last_seen, peer.last_seen);
  EXPECT_EQ(peer_of(row).path.rtt, peer.path.rtt);
}

TEST(AttachedDocuments, WhatIsMissingOrOfAnotherTypeHasItsDefault) {
  const json strange{{"id", 7},       {"name", nullptr}, {"addresses", "x"}, {"state", "asleep"},
                     {"path", "lan"}, {"rtt", "soon"},   {"rx_bytes", -1},   {"losses", 3},
                     {"last_seen", "yesterday"}};
  for (const json& row : {json::object(), strange}) {
    const PeerInfo peer = peer_of(row);
    EXPECT_TRUE(peer.id.is_nil());
    EXPECT_EQ(peer.state, PeerState::kDown);
    EXPECT_EQ(peer.path.kind, PathKind::kNone);
    EXPECT_EQ(peer.rx_bytes, 0u);
    EXPECT_FALSE(peer.last_seen);
    EXPECT_EQ(hub_of(row).state, PeerState::kDown);
    EXPECT_EQ(error_of(row).code, Errc::kInternal);
  }
}

TEST(AttachedDocuments, AMessageHasAnyBytes) {
  ByteVector every;
  for (int i = 0; i < 256; ++i) every.push_back(static_cast<std::byte>(i));
  json line{{"from", {{"id", "C0190c3f2-6f3a-8c1d-9e2b-0011223344ff"}, {"name", "bob"}}}};
  put_data(line, every);
  const Message message = message_of(line, "chat");
  EXPECT_EQ(message.from_name(), "bob");
  EXPECT_EQ(message.channel(), "chat");
  EXPECT_EQ(ByteVector(message.data().begin(), message.data().end()), every);
}

}  // namespace
}  // namespace ginnel::runtime
