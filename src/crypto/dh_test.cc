#include "crypto/dh.h"

#include <gtest/gtest.h>

namespace ginnel::crypto {
namespace {

// RFC 7748 section 5.2, first vector.
TEST(X25519, GivesTheResultOfTheRfc) {
  const auto scalar = *SessionSecret::from(
      *from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));
  const auto u =
      *SessionPublic::from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  const auto shared = x25519(scalar, u);
  ASSERT_TRUE(shared);
  EXPECT_EQ(to_hex(shared->bytes()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

TEST(X25519, BothSidesComeToTheSameSecret) {
  Rng rng = Rng::from_seed(1);
  const auto a = SessionSecret::generate(rng);
  const auto b = SessionSecret::generate(rng);
  EXPECT_EQ(x25519(a, public_of(b)).value(), x25519(b, public_of(a)).value());
}

// Two WireGuard keys whose public halves `wg pubkey` gives too.
TEST(X25519, DerivesPublicKeysAndClampsTheSecretItself) {
  ByteVector secret(kKeyBytes);
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::byte>(i + 1);
  EXPECT_EQ(public_of(*SessionSecret::from(secret)).hex(),
            "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c");
}

// RFC 7748 section 6.1: MUST check for the all-zero value, MUST abort if so.
TEST(X25519, RefusesPublicKeysOfSmallOrder) {
  Rng rng = Rng::from_seed(2);
  const auto secret = SessionSecret::generate(rng);
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const auto shared = x25519(secret, *SessionPublic::from_hex(hex));
    ASSERT_FALSE(shared) << hex;
    EXPECT_EQ(shared.error(), DhError::kWeakPublicKey);
  }
}

}  // namespace
}  // namespace ginnel::crypto
