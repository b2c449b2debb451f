#include "crypto/sign.h"

#include <gtest/gtest.h>

namespace ginnel::crypto {
namespace {

// RFC 8032 section 7.1, test 1.
TEST(Ed25519, SignsTheVectorOfTheRfc) {
  const auto seed = *IdentitySecret::from(
      *from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  EXPECT_EQ(public_of(seed).hex(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(sign(seed, {}).hex(),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39"
            "701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  EXPECT_TRUE(verify(public_of(seed), {}, sign(seed, {})));
}

TEST(Ed25519, VerifiesOnlyItsMessageItsKeyAndItsSignature) {
  Rng rng = Rng::from_seed(5);
  const auto seed = NetworkSecret::generate(rng);
  const auto other = NetworkSecret::generate(rng);
  const Signature good = sign(seed, bytes_of("message"));
  EXPECT_TRUE(verify(public_of(seed), bytes_of("message"), good));
  EXPECT_FALSE(verify(public_of(seed), bytes_of("Message"), good));
  EXPECT_FALSE(verify(public_of(other), bytes_of("message"), good));
  for (std::size_t i = 0; i < kSignatureBytes; ++i) {
    Signature bad = good;
    bad.writable()[i] ^= std::byte{1};
    EXPECT_FALSE(verify(public_of(seed), bytes_of("message"), bad)) << i;
  }
}

// A key of small order verifies some signature for every message where the check is lax.
TEST(Ed25519, RefusesTheAllZeroKey) {
  EXPECT_FALSE(verify(IdentityPublic(), bytes_of("message"), Signature()));
}

}  // namespace
}  // namespace ginnel::crypto
