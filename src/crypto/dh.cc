#include "crypto/dh.h"

#include <sodium/crypto_scalarmult_curve25519.h>

#include "crypto/libraries.h"

namespace ginnel::crypto {

// libsodium rather than libcrypto: half the time when the key is new, as an ephemeral key is.
// It clamps the secret itself (RFC 7748 section 5).
SessionPublic public_of(const SessionSecret& secret) {
  detail::init_sodium();
  SessionPublic out;
  crypto_scalarmult_curve25519_base(out.raw(), secret.raw());
  return out;
}

Result<SymmetricKey, DhError> x25519(const SessionSecret& secret, const SessionPublic& theirs) {
  detail::init_sodium();
  SymmetricKey out;
  if (crypto_scalarmult_curve25519(out.raw(), secret.raw(), theirs.raw()) != 0) {
    return Fail(DhError::kWeakPublicKey);
  }
  return out;
}

}  // namespace ginnel::crypto
