#include "crypto/argon2.h"

#include <gtest/gtest.h>

namespace ginnel::crypto {
namespace {

Argon2Salt counting_salt() {
  Argon2Salt salt;
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::uint8_t>(i);
  return salt;
}

constexpr Argon2Cost kCheap{.passes = 3, .memory_bytes = std::size_t{256} << 10};

// Computed with libgcrypt (GCRY_KDF_ARGON2ID, 3 passes, 256 KiB, 1 lane).
TEST(Argon2id, AgreesWithAnotherImplementation) {
  EXPECT_EQ(to_hex(argon2id(bytes_of("correct horse"), counting_salt(), kCheap).value().bytes()),
            "b58f5154338f732b3d4ecfc0795d583ecefacf59eb0e3ffbd0d7c836fe69c0f4");
}

TEST(Argon2id, DependsOnSecretAndSalt) {
  const auto key = argon2id(bytes_of("correct horse"), counting_salt(), kCheap);
  EXPECT_FALSE(argon2id(bytes_of("correct hors"), counting_salt(), kCheap).value() == *key);
  EXPECT_FALSE(argon2id(bytes_of("correct horse"), {}, kCheap).value() == *key);
}

TEST(Argon2id, RefusesLessMemoryThanItNeeds) {
  const auto key = argon2id(bytes_of("x"), {}, {.passes = 1, .memory_bytes = 1024});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error(), Argon2Error::kNoMemory);
}

}  // namespace
}  // namespace ginnel::crypto
