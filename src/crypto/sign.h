// Ed25519 (RFC 8032) for the two kinds of keys that sign: a node's identity and a network.
// Never allocates.
#pragma once
#include "crypto/keys.h"

namespace ginnel::crypto {

IdentityPublic public_of(const IdentitySecret& seed);
NetworkPublic public_of(const NetworkSecret& seed);

// Deterministic: the same message gives the same signature.
Signature sign(const IdentitySecret& seed, ConstBytes message);
Signature sign(const NetworkSecret& seed, ConstBytes message);

// Strict: small-order keys and non-canonical encodings do not verify.
[[nodiscard]] bool verify(const IdentityPublic& key, ConstBytes message,
                          const Signature& signature);
[[nodiscard]] bool verify(const NetworkPublic& key, ConstBytes message, const Signature& signature);

}  // namespace ginnel::crypto
