// The two crypto libraries, made ready at first use. Internal to the module.
//
// What is held here never changes after it was made, so any thread may use it.
#pragma once
#include <openssl/evp.h>

#include "base/bytes.h"

namespace ginnel::crypto::detail {

// Algorithms of libcrypto, fetched once: a fetch per call costs more than most calls (and takes a
// lock). libcrypto is initialised without its configuration file, so that neither file nor
// environment changes what a pure core does.
struct OpenSsl {
  const EVP_CIPHER* chacha20_poly1305;
  const EVP_CIPHER* aes_128_gcm;
  const EVP_CIPHER* aes_192_gcm;
  const EVP_CIPHER* aes_256_gcm;
  const EVP_MD* blake2s_256;
  const EVP_MD* sha256;
  EVP_MAC* blake2s_mac;
};
const OpenSsl& openssl();

// libsodium picks the implementations for this processor once; before that it is correct but slow.
void init_sodium();

// As the libraries spell bytes.
inline const unsigned char* raw(ConstBytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* raw(Bytes bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// EVP_CipherInit_ex2's last argument but one.
inline constexpr int kEncrypt = 1;
inline constexpr int kDecrypt = 0;
// libcrypto steps over an empty update only in some of its ciphers: this never makes one.
bool update(EVP_CIPHER_CTX* context, unsigned char* out, ConstBytes in);

}  // namespace ginnel::crypto::detail
