// X25519 (RFC 7748), the Diffie-Hellman function of every session. Never allocates.
#pragma once
#include "crypto/keys.h"
#include <ginnel/result.h>

namespace ginnel::crypto {

enum class DhError : std::uint8_t {
  kWeakPublicKey,  // of small order: the shared secret would be all zero, whatever our key is
};

SessionPublic public_of(const SessionSecret& secret);

// RFC 7748 section 6.1: an all-zero result must be refused. About 31 us.
Result<SymmetricKey, DhError> x25519(const SessionSecret& secret, const SessionPublic& theirs);

}  // namespace ginnel::crypto
