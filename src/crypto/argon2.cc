#include "crypto/argon2.h"

#include <sodium/crypto_pwhash_argon2id.h>

#include "crypto/libraries.h"

namespace ginnel::crypto {

Result<SymmetricKey, Argon2Error> argon2id(ConstBytes secret, const Argon2Salt& salt,
                                           const Argon2Cost& cost) {
  detail::init_sodium();
  SymmetricKey out;
  const int failed = crypto_pwhash_argon2id(
      out.raw(), kKeyBytes, reinterpret_cast<const char*>(secret.data()), secret.size(),
      salt.data(), cost.passes, cost.memory_bytes, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (failed != 0) return Fail(Argon2Error::kNoMemory);
  return out;
}

}  // namespace ginnel::crypto
