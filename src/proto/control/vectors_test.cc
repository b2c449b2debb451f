// The bytes of docs/wire/ginnel.md section 13: what the code writes, and what it reads back.
#include <gtest/gtest.h>

#include <map>

#include "proto/control/acknowledgement.h"
#include "proto/control/datagram.h"
#include "proto/control/fragment.h"
#include "proto/control/gossip.h"
#include "proto/control/join.h"
#include "proto/control/lane.h"
#include "proto/control/ping.h"
#include "proto/control/renewal.h"
#include "proto/control/shared_secret.h"
#include "proto/control/table.h"
#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

class Vectors : public ::testing::Test {
 protected:
  void expect(const std::string& name, ConstBytes bytes) {
    const auto it = vectors_.find(name);
    EXPECT_TRUE(it != vectors_.end() && it->second == to_hex(bytes))
        << "VECTOR\n"
        << ginnel::testing::vector_text(name, bytes);
  }
  template <FrameBody T>
  void expect_frame(const std::string& name, const T& body) {
    std::array<std::byte, 2048> buffer{};
    expect(name, Bytes(buffer).first(write_frame(body, buffer)));
  }
  template <ControlBody T>
  void expect_message(const std::string& name, const T& body) {
    expect(name, message_bytes(body));
  }

  const std::map<std::string, std::string> vectors_ =
      ginnel::testing::read_vectors(GINNEL_TESTDATA "/vectors.txt");
  const ByteVector chain_ = encoded(node_chain());
  const ByteVector info_ = encoded(node_info());
};

TEST_F(Vectors, Identity) {
  expect("network id", network().bytes());
  expect("hub id, role letter and UUID", [] {
    ByteVector out(kIdBytes);
    Writer w(out);
    write_id(w, hub_id());
    return out;
  }());
  expect("node id, role letter and UUID", [] {
    ByteVector out(kIdBytes);
    Writer w(out);
    write_id(w, node_id());
    return out;
  }());
  expect("node IPv6", overlay_ipv6(network(), node_id()).wire());
  const auto range = *Prefix::parse("10.66.0.0/16");
  expect("node IPv4, n = 0, in 10.66.0.0/16", overlay_ipv4_candidate(node_id(), range, 0)->wire());
  expect("node IPv4, n = 1, in 10.66.0.0/16", overlay_ipv4_candidate(node_id(), range, 1)->wire());
}

TEST_F(Vectors, SharedSecret) {
  const auto network = derive_network(bytes_of("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")).value();
  expect("shared secret, network key", network.key.bytes());
  expect("shared secret, network id", crypto::public_of(network.key).bytes());
  expect("shared secret, preshared key", network.preshared.bytes());
}

TEST_F(Vectors, Certificates) {
  expect("hub certificate", encoded(hub_certificate()));
  expect("node certificate", encoded(node_certificate()));
  expect("node certificate hash", certificate_hash(encoded(node_certificate())));
  RevocationSet set;
  set.number = 2;
  set.entries = {{node_id(), 7}};
  sign_revocations(set, network_secret());
  expect("revocation set", encoded(set));
  expect("revocation set hash", bytes_of(revocations_hash(set)));
  Token token;
  token.network = network();
  token.secret = secret_of<TokenSecret>(0x44);
  token.expiry_seconds = kIssued + 3600;
  token.hubs = {{hub_session(), {"203.0.113.9:7700"}}};
  expect("token, its text in ASCII", bytes_of(token_text(token)));
}

TEST_F(Vectors, Session) {
  Hello hello;
  hello.epoch = 0x1000;
  hello.chain = chain_;
  expect_frame("HELLO with the node's chain", hello);
  hello.chain = {};
  expect_frame("HELLO of a node that joins", hello);
  hello.leaf_hash = certificate_hash(encoded(node_certificate()));
  hello.holds_your_certificate = true;
  expect_frame("HELLO by hash", hello);
  Join join;
  join.secret = secret_of<TokenSecret>(0x44);
  join.session = node_session();
  join.name = "alice";
  sign_join(join, node_identity(), network(), hub_session());
  expect_frame("JOIN", join);
  const ByteVector hub_chain = encoded(Chain{hub_certificate(), std::nullopt});
  Joined joined{chain_,
                hub_chain,
                *Prefix::parse("10.66.0.0/16"),
                "home",
                {{hub_session(), "hub-a", {"203.0.113.9:7700"}}}};
  expect_frame("JOINED", joined);
  expect_frame("REFUSED", Refused{FrameType::kJoin, RefusedCode::kTokenUsed, "token used"});
  expect_frame("GOODBYE", Goodbye{Goodbye::Reason::kRestarts, 1500});
  expect_frame("PING", Ping{1, 2, 3, bytes_of("pad")});
}

TEST_F(Vectors, Registration) {
  Register registration;
  registration.sequence = 5;
  registration.network_info = info_;
  registration.links = {{hub_id(), PathKind::kDirect, 3100, 655}};
  expect_frame("REGISTER", registration);
  expect_frame("REGISTERED", Registered{5,
                                        0x0a0b0c,
                                        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                        *Endpoint::parse("198.51.100.7:4164"),
                                        2000,
                                        0x77,
                                        7701});
  const Heartbeat heartbeat{9, 0x1122334455667788, {0x77, 40}, 2, {1, 2, 3, 4, 5, 6, 7, 8}};
  expect_frame("HEARTBEAT", heartbeat);
  expect_frame("HEARTBEAT_ACK", HeartbeatAck{heartbeat, *Endpoint::parse("198.51.100.7:4164")});
}

TEST_F(Vectors, ControlMessages) {
  const ByteVector certificate = encoded(node_certificate());
  Row row;
  row.relay_index = 0x0a0b0c;
  row.seen_seconds = 2;
  row.certificate = certificate;
  row.network_info = info_;
  expect_message("SNAPSHOT_BEGIN", SnapshotBegin{{0x77, 41}, 1});
  expect_message("ROWS, one row", Rows{std::span(&row, 1)});
  expect_message("SNAPSHOT_END", SnapshotEnd{41});
  const auto hash = certificate_hash(certificate);
  row.certificate = hash;
  row.certificate_by_hash = true;
  row.state = Row::State::kUnreachable;
  expect_message("DELTA, change by hash", Delta{42, Delta::Op::kChange, row, {}});
  expect_message("DELTA, remove", Delta{43, Delta::Op::kRemove, {}, node_id()});
  expect_message("SNAPSHOT_REQUEST", SnapshotRequest{{0x77, 41}});
  expect_message("REVOCATIONS_REQUEST", RevocationsRequest{1});
  Renew renew{node_session(), 7, {}};
  sign_renew(renew, node_identity(), network(), hub_session());
  expect_message("RENEW", renew);
  expect_message("NOT_RENEWED", NotRenewed{RefusedCode::kRevoked});
  expect_message("TAKEN", Taken{7});
  expect_message("NOT_TAKEN", NotTaken{8, NotTaken::Code::kNoSubscriber});
  expect_message("CANCEL", Cancel{8});
  expect_message("LANE_RESET", LaneReset{7});
  expect_message("HUBS", Hubs{{{hub_session(), "hub-a", {"203.0.113.9:7700"}}}});
}

TEST_F(Vectors, Channels) {
  ByteVector lane = encoded(LaneOpen{LaneOpen::Kind::kMessages, 3, "chat"});
  const ByteVector header = encoded(MessageHeader{5, 7});
  lane.insert(lane.end(), header.begin(), header.end());
  const ConstBytes hello = bytes_of("hello");
  lane.insert(lane.end(), hello.begin(), hello.end());
  expect("lane: OPEN and a message", lane);
  lane = encoded(LaneOpen{LaneOpen::Kind::kReplies, 0, "sum"});
  const ByteVector reply = encoded(MessageHeader{3, 7});
  lane.insert(lane.end(), reply.begin(), reply.end());
  lane.push_back(static_cast<std::byte>(ReplyCode::kAnswered));
  lane.insert(lane.end(), hello.begin(), hello.begin() + 2);
  expect("lane: OPEN of replies and the reply to request 7", lane);
  expect_frame("DATAGRAM", Datagram{"chat", hello});
  expect_frame("FRAGMENT", Fragment{5, 1, hello});
  expect_frame("GOSSIP: a datagram", Gossip{Gossip::Kind::kDatagram, {}, hello});
  expect_frame("GOSSIP: forward to fd00::1",
               Gossip{Gossip::Kind::kForward, *Address::parse("fd00::1"), hello});
}

TEST_F(Vectors, DocumentQuotesThem) {
  const auto text = ginnel::testing::read_text_file(GINNEL_TESTDATA "/vectors.txt");
  const auto document =
      ginnel::testing::read_text_file(GINNEL_TESTDATA "/../../../../docs/wire/ginnel.md");
  ASSERT_FALSE(text.empty());
  EXPECT_NE(document.find(text), std::string::npos);
}

}  // namespace
}  // namespace ginnel::control
