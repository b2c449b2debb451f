// Authenticated encryption: ChaCha20-Poly1305 (RFC 8439) with a counter for nonce, and
// XChaCha20-Poly1305 with a random one.
//
//   Aead sealer(key);
//   const std::size_t size = sealer.seal(counter, aad, plaintext, out);   // ciphertext || tag
//   if (!opener.open(counter, aad, sealed, sealed)) ...                   // in place
//
// An Aead is one keyed context of libcrypto: it allocates in its constructor and never again, and
// belongs to one thread at a time. Whoever seals must never use a (key, counter) pair twice.
#pragma once
#include <openssl/types.h>

#include <memory>

#include "crypto/keys.h"

namespace ginnel::crypto {

inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kXNonceBytes = 24;
using XNonce = std::array<std::uint8_t, kXNonceBytes>;

class Aead {
 public:
  explicit Aead(const SymmetricKey& key);

  // Writes ciphertext and tag, plaintext.size() + kTagBytes bytes, to `out`, which may begin where
  // `plaintext` does. Returns their number. Nonce: 4 zero bytes, then `counter` little-endian.
  std::size_t seal(std::uint64_t counter, ConstBytes aad, ConstBytes plaintext, Bytes out);

  // Writes the plaintext, sealed.size() - kTagBytes bytes, to `out`, which may begin where `sealed`
  // does. False: too short, or not authentic; `out` then holds nothing of meaning.
  [[nodiscard]] bool open(std::uint64_t counter, ConstBytes aad, ConstBytes sealed, Bytes out);

 private:
  void start(std::uint64_t counter, ConstBytes aad, int encrypt);

  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const;  // wipes the key
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

// As Aead, with a 24-byte nonce that may be random (draft-irtf-cfrg-xchacha).
std::size_t xaead_seal(const SymmetricKey& key, const XNonce& nonce, ConstBytes aad,
                       ConstBytes plaintext, Bytes out);
[[nodiscard]] bool xaead_open(const SymmetricKey& key, const XNonce& nonce, ConstBytes aad,
                              ConstBytes sealed, Bytes out);

}  // namespace ginnel::crypto
