#include "proto/control/chain.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

Result<Verified, CertError> verify_today(const Chain& chain) {
  return verify_chain(chain, network(), kToday);
}

// A leaf changed by `change` and then signed by the hub all the same.
template <class Change>
Chain chain_with(Change change) {
  Chain chain = node_chain();
  change(chain);
  sign_certificate(*chain.issuer, network_secret());
  sign_certificate(chain.leaf, network(), hub_identity());
  return chain;
}

TEST(Chain, RoundTrips) {
  for (const Chain& chain : {node_chain(), Chain{hub_certificate(), std::nullopt}}) {
    expect_exact_size(encoded(chain), parse_chain);
    EXPECT_EQ(*parse_chain(encoded(chain)), chain);
  }
}

TEST(Chain, RefusesNoneAndMoreThanTwoCertificates) {
  ByteVector bytes = encoded(node_chain());
  bytes[0] = std::byte{0};
  EXPECT_EQ(parse_chain(bytes).error(), Drop::kBadField);
  bytes[0] = std::byte{3};
  EXPECT_EQ(parse_chain(bytes).error(), Drop::kTooMany);
}

TEST(VerifyChain, DerivesTheIdsOfLeafAndIssuer) {
  const auto verified = verify_today(node_chain());
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->id, node_id());
  EXPECT_EQ(verified->issuer, hub_id());
  EXPECT_EQ(verified->overlay_ipv6, overlay_ipv6(network(), node_id()));
}

TEST(VerifyChain, AcceptsALeafOfTheNetworkKeyAlone) {
  const auto verified = verify_today({hub_certificate(), std::nullopt});
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->id, hub_id());
  EXPECT_FALSE(verified->issuer);
}

TEST(VerifyChain, RefusesAnotherNetwork) {
  const auto other = public_of(secret_of<crypto::NetworkSecret>(0x99));
  EXPECT_EQ(verify_chain(node_chain(), other, kToday).error(), CertError::kWrongIssuer);
}

TEST(VerifyChain, RefusesMissingSuperfluousAndWrongIssuers) {
  Chain chain = node_chain();
  chain.issuer.reset();
  EXPECT_EQ(verify_today(chain).error(), CertError::kWrongIssuer);
  EXPECT_EQ(verify_today({hub_certificate(), hub_certificate()}).error(), CertError::kWrongIssuer);
  // A delegation is not further delegable: the issuer's issuer must be the network key.
  chain = node_chain();
  sign_certificate(*chain.issuer, network(), node_identity());
  EXPECT_EQ(verify_today(chain).error(), CertError::kWrongIssuer);
}

TEST(VerifyChain, RefusesBadSignaturesOfEither) {
  Chain chain = node_chain();
  chain.leaf.serial += 1;
  EXPECT_EQ(verify_today(chain).error(), CertError::kBadSignature);
  chain = node_chain();
  chain.issuer->serial += 1;
  EXPECT_EQ(verify_today(chain).error(), CertError::kBadSignature);
}

TEST(VerifyChain, HubsCertifyOnlyRolesTheyWereGiven) {
  const auto hub_leaf = chain_with([](Chain& c) { c.leaf.role = Role::kHub; });
  EXPECT_EQ(verify_today(hub_leaf).error(), CertError::kNotDelegated);
  const auto allowed = chain_with([](Chain& c) {
    c.leaf.role = Role::kHub;
    c.issuer->delegation->powers |= Delegation::kCertifyHubs;
  });
  EXPECT_TRUE(verify_today(allowed));
}

TEST(VerifyChain, OnlyHubsWithADelegationCertify) {
  const auto peer = chain_with([](Chain& c) { c.issuer->role = Role::kPeer; });
  EXPECT_EQ(verify_today(peer).error(), CertError::kNotDelegated);
  const auto without = chain_with([](Chain& c) { c.issuer->delegation.reset(); });
  EXPECT_EQ(verify_today(without).error(), CertError::kNotDelegated);
}

TEST(VerifyChain, DelegationsAreNotHandedOn) {
  const auto chain = chain_with([](Chain& c) { c.leaf.delegation = c.issuer->delegation; });
  EXPECT_EQ(verify_today(chain).error(), CertError::kNotDelegated);
}

TEST(VerifyChain, AddressesStayInTheDelegatedRange) {
  const auto outside = chain_with([](Chain& c) { c.leaf.ipv4 = Address::v4(10, 67, 0, 2); });
  EXPECT_EQ(verify_today(outside).error(), CertError::kOutOfRange);
  EXPECT_TRUE(verify_today(chain_with([](Chain& c) { c.leaf.ipv4.reset(); })));
}

TEST(VerifyChain, LifetimesStayWithinTheDelegatedOne) {
  const auto longer = chain_with([](Chain& c) { ++c.leaf.lifetime_seconds; });
  EXPECT_EQ(verify_today(longer).error(), CertError::kLifetimeTooLong);
}

TEST(VerifyChain, HoldsFromNotBeforeWithGraceUntilTheLifetimeIsOver) {
  const auto at = [](std::uint64_t seconds) {
    return verify_chain(node_chain(), network(),
                        Wall{static_cast<std::int64_t>(seconds) * 1'000'000'000});
  };
  EXPECT_EQ(at(kIssued - 301).error(), CertError::kNotYetValid);
  EXPECT_TRUE(at(kIssued - 300));
  EXPECT_TRUE(at(kIssued + 90 * kDay - 1));
  EXPECT_EQ(at(kIssued + 90 * kDay).error(), CertError::kExpired);
}

TEST(VerifyChain, IssuerMustBeValidToo) {
  const auto chain = chain_with([](Chain& c) { c.issuer->lifetime_seconds = 10; });
  EXPECT_EQ(verify_today(chain).error(), CertError::kExpired);
}

TEST(VerifyChain, DatesAtTheEndOfTimeDoNotOverflow) {
  const auto chain = chain_with([](Chain& c) { c.leaf.not_before_seconds = ~std::uint64_t{0}; });
  EXPECT_EQ(verify_today(chain).error(), CertError::kNotYetValid);
  EXPECT_EQ(verify_chain(node_chain(), network(), Wall{-1}).error(), CertError::kNotYetValid);
}

}  // namespace
}  // namespace ginnel::control
