// The two crypto libraries, made ready at first use. Internal to the module.
//
// What is held here never changes after it was made, so any thread may use it.
#pragma once
#include <openssl/evp.h>

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

}  // namespace ginnel::crypto::detail
