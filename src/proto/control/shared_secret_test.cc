#include "proto/control/shared_secret.h"

#include <gtest/gtest.h>

#include "crypto/sign.h"

namespace ginnel::control {
namespace {

constexpr std::string_view kSecret = "Yk3b8hQ0r5T1uWmZx7Lc2d";

TEST(SharedSecret, TheSameSecretMakesTheSameNetworkAndAnotherOneAnother) {
  const auto once = derive_network(bytes_of(kSecret)).value();
  const auto again = derive_network(bytes_of(kSecret)).value();
  const auto other = derive_network(bytes_of("Yk3b8hQ0r5T1uWmZx7Lc2e")).value();
  EXPECT_EQ(once.key, again.key);
  EXPECT_EQ(once.preshared, again.preshared);
  EXPECT_FALSE(once.key == other.key);
  EXPECT_FALSE(once.preshared == other.preshared);
}

// Whoever learned the one must not have the other.
TEST(SharedSecret, NetworkKeyAndPresharedKeyDiffer) {
  const auto network = derive_network(bytes_of(kSecret)).value();
  EXPECT_NE(to_hex(network.key.bytes()), to_hex(network.preshared.bytes()));
  EXPECT_FALSE(network.preshared.is_zero());
}

// docs/wire/ginnel.md section 5: "without the white space before and after it".
TEST(SharedSecret, ALineEndIsNoPartOfIt) {
  EXPECT_EQ(trimmed_secret(" \tabc def\r\n\n"), "abc def");
  EXPECT_EQ(trimmed_secret("\n \n"), "");
}

// docs/cli.md, "Shared secret".
TEST(SharedSecret, WeakOnesAreToldFromStrongOnes) {
  EXPECT_EQ(weakness_of(""), SecretWeakness::kEmpty);
  EXPECT_EQ(weakness_of("password"), SecretWeakness::kShort);
  EXPECT_EQ(weakness_of(kSecret.substr(1)), SecretWeakness::kShort);
  EXPECT_EQ(weakness_of("abcdefghiabcdefghiabcdefghi"), SecretWeakness::kUniform);
  EXPECT_EQ(weakness_of("electroencephalography"), SecretWeakness::kWord);
  EXPECT_EQ(weakness_of("Counterrevolutionaries"), SecretWeakness::kWord);
  EXPECT_EQ(weakness_of(std::string(4097, 'x')), SecretWeakness::kTooLong);
  EXPECT_EQ(weakness_of("abcdefghijabcdefghijab"), SecretWeakness::kNone);  // 22 of 10
  EXPECT_EQ(weakness_of(kSecret), SecretWeakness::kNone);
}

}  // namespace
}  // namespace ginnel::control
