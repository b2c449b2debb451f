// The network of the tests and of the document's vectors: keys of 32 equal bytes, one delegated
// hub, one node. For tests only.
#pragma once
#include <gtest/gtest.h>

#include "base/testing/vectors.h"
#include "crypto/dh.h"
#include "crypto/sign.h"
#include "proto/control/chain.h"
#include "proto/control/fields.h"
#include "proto/control/frame.h"
#include "proto/control/identity.h"
#include "proto/control/network_info.h"
#include "proto/control/signing.h"

namespace ginnel::control::testing {

template <class Secret>
Secret secret_of(std::uint8_t byte) {
  std::array<std::byte, 32> bytes{};
  bytes.fill(std::byte{byte});
  return Secret(bytes);
}

inline crypto::NetworkSecret network_secret() { return secret_of<crypto::NetworkSecret>(0x11); }
inline crypto::IdentitySecret hub_identity() { return secret_of<crypto::IdentitySecret>(0x22); }
inline crypto::IdentitySecret node_identity() { return secret_of<crypto::IdentitySecret>(0x33); }
inline crypto::NetworkPublic network() { return public_of(network_secret()); }
inline crypto::SessionPublic hub_session() {
  return public_of(secret_of<crypto::SessionSecret>(0x23));
}
inline crypto::SessionPublic node_session() {
  return public_of(secret_of<crypto::SessionSecret>(0x34));
}

inline constexpr std::uint64_t kDay = 86400;
inline constexpr std::uint64_t kIssued = 1'800'000'000;  // 2027-01-15
inline constexpr Wall kToday{static_cast<std::int64_t>(kIssued + kDay) * 1'000'000'000};

inline Certificate hub_certificate() {
  Certificate c;
  c.role = Role::kHub;
  c.identity = public_of(hub_identity());
  c.session = hub_session();
  c.serial = 1;
  c.not_before_seconds = kIssued;
  c.lifetime_seconds = 90 * kDay;
  c.name = "hub-a";
  c.ipv4 = Address::v4(10, 66, 0, 1);
  c.delegation = Delegation{Delegation::kCertifyPeers | Delegation::kRevoke,
                            *Prefix::parse("10.66.0.0/16"), 90 * kDay};
  sign_certificate(c, network_secret());
  return c;
}

inline Certificate unsigned_node_certificate() {
  Certificate c;
  c.role = Role::kPeer;
  c.identity = public_of(node_identity());
  c.session = node_session();
  c.serial = 7;
  c.not_before_seconds = kIssued;
  c.lifetime_seconds = 90 * kDay;
  c.name = "alice";
  c.ipv4 = Address::v4(10, 66, 0, 2);
  c.tags = {{"site", "lab"}};
  return c;
}

inline Certificate node_certificate() {  // issued by the hub
  Certificate c = unsigned_node_certificate();
  sign_certificate(c, network(), hub_identity());
  return c;
}

inline Chain node_chain() { return {node_certificate(), hub_certificate()}; }
inline Id node_id() { return derive_id(network(), Role::kPeer, public_of(node_identity())); }
inline Id hub_id() { return derive_id(network(), Role::kHub, public_of(hub_identity())); }

inline NetworkInfo node_info() {
  NetworkInfo info;
  info.epoch = 0x1000;
  info.sequence = 3;
  info.candidates = {{Candidate::Kind::kServerReflexive, *Endpoint::parse("198.51.100.7:4164")},
                     {Candidate::Kind::kPublic, *Endpoint::parse("[2001:db8::7]:7700")}};
  sign_network_info(info, node_identity(), network());
  return info;
}

// The bytes of any message.
template <class T>
ByteVector encoded(const T& message) {
  ByteVector out(std::size_t{300} << 10);
  out.resize(write(message, out));
  EXPECT_FALSE(out.empty());
  return out;
}

// Every strict prefix is refused; and what is longer, as trailing bytes.
template <class Parse>
void expect_exact_size(ConstBytes bytes, Parse parse) {
  EXPECT_TRUE(parse(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of exactly this size, so that a sanitizer sees a read past it.
    EXPECT_FALSE(parse(to_vector(bytes.first(size)))) << "of size " << size;
  }
  ByteVector longer = to_vector(bytes);
  longer.push_back(std::byte{0});
  const auto result = parse(longer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), Drop::kTrailing);
}

// What was parsed is written as the same bytes: there is one encoding.
template <class Parse>
void expect_round_trip(ConstBytes bytes, Parse parse) {
  const auto message = parse(bytes);
  ASSERT_TRUE(message) << static_cast<int>(message.error());
  EXPECT_EQ(to_hex(encoded(*message)), to_hex(bytes));
}

}  // namespace ginnel::control::testing
