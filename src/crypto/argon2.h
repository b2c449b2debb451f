// Argon2id (RFC 9106): a key from a secret that people chose.
#pragma once
#include "crypto/keys.h"
#include <ginnel/result.h>

namespace ginnel::crypto {

inline constexpr std::size_t kArgon2SaltBytes = 16;
using Argon2Salt = std::array<std::uint8_t, kArgon2SaltBytes>;

struct Argon2Cost {
  std::uint32_t passes = 3;
  std::size_t memory_bytes = std::size_t{64} << 20;
};

enum class Argon2Error : std::uint8_t {
  kNoMemory,  // the memory it needs could not be had, or less was asked than it accepts (8 KiB)
};

// One lane, as libsodium has it. Takes about 0.15 s and allocates memory_bytes while it runs.
Result<SymmetricKey, Argon2Error> argon2id(ConstBytes secret, const Argon2Salt& salt,
                                           const Argon2Cost& cost = {});

}  // namespace ginnel::crypto
