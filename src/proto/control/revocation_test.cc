#include "proto/control/revocation.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

RevocationSet by_network(std::uint64_t number = 1) {
  RevocationSet set;
  set.number = number;
  set.entries = {{node_id(), 7}, {hub_id(), 1}};
  sign_revocations(set, network_secret());
  return set;
}

RevocationSet by_hub(Certificate hub = hub_certificate()) {
  RevocationSet set = by_network();
  set.signer = std::move(hub);
  sign_revocations(set, network(), hub_identity());
  return set;
}

TEST(Revocations, RoundTrip) {
  for (const RevocationSet& set : {by_network(), by_hub(), RevocationSet{}}) {
    expect_exact_size(encoded(set), parse_revocations);
    EXPECT_EQ(*parse_revocations(encoded(set)), set);
  }
}

TEST(Revocations, VoidCertificatesUpToTheSerial) {
  const RevocationSet set = by_network();
  EXPECT_TRUE(set.revokes(node_id(), 0));
  EXPECT_TRUE(set.revokes(node_id(), 7));
  EXPECT_FALSE(set.revokes(node_id(), 8));
  EXPECT_FALSE(set.revokes(Id{}, 0));
}

TEST(Revocations, RefuseEntriesOutOfOrderOrTwice) {
  RevocationSet set = by_network();
  std::swap(set.entries[0], set.entries[1]);
  EXPECT_EQ(parse_revocations(encoded(set)).error(), Drop::kBadField);
  set.entries[1] = set.entries[0];
  EXPECT_EQ(parse_revocations(encoded(set)).error(), Drop::kBadField);
}

TEST(Revocations, GreatestSetFitsOneControlMessage) {
  RevocationSet set;
  for (std::uint32_t i = 0; i < kRevocationsMax; ++i) {
    Id::Uuid uuid{};
    Writer(std::as_writable_bytes(std::span(uuid))).u32be(i);
    set.entries.push_back({Id(Role::kPeer, uuid), i});
  }
  sign_revocations(set, network_secret());
  EXPECT_FALSE(message_bytes(set).empty());
  ByteVector bytes = encoded(set);
  EXPECT_TRUE(parse_revocations(bytes));
  bytes[10] = std::byte{0x10};  // 4096 + 1
  bytes[9] = std::byte{1};
  EXPECT_EQ(parse_revocations(bytes).error(), Drop::kTooMany);
}

TEST(VerifyRevocations, AcceptsNetworkKeyAndDelegatedHub) {
  EXPECT_TRUE(verify_revocations(by_network(), network(), kToday));
  EXPECT_TRUE(verify_revocations(by_hub(), network(), kToday));
}

TEST(VerifyRevocations, RefusesOtherSignersAndChangedSets) {
  RevocationSet set = by_network();
  set.number += 1;
  EXPECT_EQ(verify_revocations(set, network(), kToday).error(), CertError::kBadSignature);
  set = by_hub();
  set.entries.pop_back();
  EXPECT_EQ(verify_revocations(set, network(), kToday).error(), CertError::kBadSignature);
  set = by_hub();
  sign_revocations(set, network(), node_identity());
  EXPECT_EQ(verify_revocations(set, network(), kToday).error(), CertError::kBadSignature);
}

TEST(VerifyRevocations, NeedsThePowerToRevoke) {
  Certificate hub = hub_certificate();
  hub.delegation->powers = Delegation::kCertifyPeers;
  sign_certificate(hub, network_secret());
  EXPECT_EQ(verify_revocations(by_hub(hub), network(), kToday).error(), CertError::kNotDelegated);
  hub.delegation.reset();
  sign_certificate(hub, network_secret());
  EXPECT_EQ(verify_revocations(by_hub(hub), network(), kToday).error(), CertError::kNotDelegated);
}

TEST(Revocations, AllNodesSettleOnOneOfTwoSets) {
  EXPECT_TRUE(supersedes(by_network(2), by_network(1)));
  EXPECT_FALSE(supersedes(by_network(1), by_network(2)));
  EXPECT_FALSE(supersedes(by_network(1), by_network(1)));
  const auto a = by_network();
  const auto b = by_hub();  // the same number
  EXPECT_NE(supersedes(a, b), supersedes(b, a));
}

TEST(Revocations, UnionKeepsEveryEntryWithItsGreaterSerial) {
  RevocationSet a;
  a.number = 4;
  a.entries = {{node_id(), 5}};
  RevocationSet b;
  b.number = 9;
  b.entries = {{node_id(), 3}, {hub_id(), 1}};
  const auto both = united(a, b);
  EXPECT_EQ(both.number, 10u);
  EXPECT_EQ(both.entries, (std::vector<Revocation>{{node_id(), 5}, {hub_id(), 1}}));
}

TEST(RevocationsRequest, RoundTrips) {
  const ByteVector bytes = encoded(RevocationsRequest{5});
  expect_exact_size(bytes, parse_revocations_request);
  expect_round_trip(bytes, parse_revocations_request);
}

}  // namespace
}  // namespace ginnel::control
