#include "proto/control/registration.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

TEST(NetworkInfo, RoundTrips) {
  const ByteVector bytes = encoded(node_info());
  expect_exact_size(bytes, parse_network_info);
  EXPECT_EQ(*parse_network_info(bytes), node_info());
}

TEST(NetworkInfo, SignatureCoversEveryByte) {
  const auto key = public_of(node_identity());
  EXPECT_TRUE(verify_network_info(node_info(), key, network()));
  EXPECT_FALSE(verify_network_info(node_info(), public_of(hub_identity()), network()));
  const ByteVector bytes = encoded(node_info());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ByteVector changed = bytes;
    changed[i] ^= std::byte{1};
    const auto parsed = parse_network_info(changed);
    EXPECT_FALSE(parsed && verify_network_info(*parsed, key, network())) << i;
  }
}

// LAN addresses never go to a hub.
TEST(NetworkInfo, RefusesLanAddressesUnknownKindsAndFamilies) {
  ByteVector bytes = encoded(node_info());
  for (const int kind : {0, 4, 255}) {
    bytes[13] = static_cast<std::byte>(kind);
    EXPECT_EQ(parse_network_info(bytes).error(), Drop::kBadField) << kind;
  }
  bytes = encoded(node_info());
  bytes[14] = std::byte{5};
  EXPECT_EQ(parse_network_info(bytes).error(), Drop::kBadField);
}

// One encoding per address.
TEST(NetworkInfo, RefusesIpv4InItsLongForm) {
  ByteVector bytes(13 + 20 + 64);
  bytes[12] = std::byte{1};
  bytes[13] = std::byte{1};
  bytes[14] = std::byte{6};
  EXPECT_TRUE(parse_network_info(bytes));
  bytes[25] = bytes[26] = std::byte{0xff};
  EXPECT_EQ(parse_network_info(bytes).error(), Drop::kBadField);
}

TEST(NetworkInfo, HoldsSixteenCandidatesAndNoMore) {
  NetworkInfo info = node_info();
  info.candidates.assign(kCandidatesMax, info.candidates[1]);
  ByteVector bytes = encoded(info);
  EXPECT_LE(bytes.size(), NetworkInfo::kBytesMax);
  EXPECT_TRUE(parse_network_info(bytes));
  bytes[12] = std::byte{17};
  EXPECT_EQ(parse_network_info(bytes).error(), Drop::kTooMany);
}

TEST(NetworkInfo, NewerMeansEpochThenSequence) {
  NetworkInfo a;
  a.epoch = 2;
  NetworkInfo b;
  b.epoch = 1;
  b.sequence = 9;
  EXPECT_TRUE(a.newer_than(b));
  EXPECT_FALSE(b.newer_than(a));
  EXPECT_FALSE(a.newer_than(a));
}

Register registration(ConstBytes info) {
  Register out;
  out.sequence = 5;
  out.table = {0x77, 12};
  out.network_info = info;
  out.links = {{hub_id(), PathKind::kDirect, 3100, 655},
               {node_id(), PathKind::kRelayTcp, 0xffffffff, 0xffff}};
  return out;
}

TEST(Register, RoundTrips) {
  const ByteVector info = encoded(node_info());
  const ByteVector bytes = encoded(registration(info));
  expect_exact_size(bytes, parse_register);
  expect_round_trip(bytes, parse_register);
  const auto parsed = parse_register(bytes);
  EXPECT_EQ(parsed->links, registration(info).links);
  EXPECT_EQ(parsed->table, (TablePosition{0x77, 12}));
  EXPECT_EQ(*parse_network_info(parsed->network_info), node_info());
}

TEST(Register, RefusesTooManyLinksAndUnknownPaths) {
  const ByteVector info = encoded(node_info());
  Register message = registration(info);
  message.links.assign(kLinksMax, message.links[0]);
  ByteVector bytes = encoded(message);
  EXPECT_TRUE(parse_register(bytes));
  const std::size_t count_at = 16 + 2 + info.size();
  bytes[count_at] = std::byte{kLinksMax + 1};
  EXPECT_EQ(parse_register(bytes).error(), Drop::kTooMany);
  bytes = encoded(message);
  bytes[count_at + 1 + kIdBytes] = std::byte{6};
  EXPECT_EQ(parse_register(bytes).error(), Drop::kBadField);
}

Registered registered() {
  Registered out;
  out.sequence = 5;
  out.relay_index = 0x0a0b0c;
  out.relay_key = {1, 2, 3};
  out.observed = *Endpoint::parse("198.51.100.7:4164");
  out.heartbeat_ms = 2000;
  out.hub_epoch = 0x77;
  out.probe_port = 7701;
  return out;
}

TEST(Registered, RoundTrips) {
  const ByteVector bytes = encoded(registered());
  EXPECT_EQ(bytes.size(), 55u);
  expect_exact_size(bytes, parse_registered);
  EXPECT_EQ(*parse_registered(bytes), registered());
}

TEST(Registered, RefusesIndexZeroAndHeartbeatsThatAreTooFastOrSlow) {
  Registered bad = registered();
  bad.relay_index = 0;
  EXPECT_EQ(parse_registered(encoded(bad)).error(), Drop::kBadField);
  for (const std::uint32_t ms : {0u, 99u, 60'001u}) {
    bad = registered();
    bad.heartbeat_ms = ms;
    EXPECT_EQ(parse_registered(encoded(bad)).error(), Drop::kBadField) << ms;
  }
}

TEST(Heartbeat, RoundTripsBothWays) {
  const Heartbeat heartbeat{9, 123456789, {0x77, 40}, 3, {1, 2, 3, 4, 5, 6, 7, 8}};
  const HeartbeatAck ack{heartbeat, *Endpoint::parse("[2001:db8::7]:9")};
  expect_exact_size(encoded(heartbeat), parse_heartbeat);
  expect_exact_size(encoded(ack), parse_heartbeat_ack);
  EXPECT_EQ(*parse_heartbeat(encoded(heartbeat)), heartbeat);
  EXPECT_EQ(*parse_heartbeat_ack(encoded(ack)), ack);
  EXPECT_EQ(encoded(heartbeat).size(), 40u);
}

}  // namespace
}  // namespace ginnel::control
