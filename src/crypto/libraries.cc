#include "crypto/libraries.h"

#include <openssl/crypto.h>
#include <sodium.h>

#include "base/assert.h"

namespace ginnel::crypto::detail {
namespace {

OpenSsl fetch() {
  GINNEL_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1);
  OpenSsl out{EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr),
              EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr),
              EVP_CIPHER_fetch(nullptr, "AES-192-GCM", nullptr),
              EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
              EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr),
              EVP_MD_fetch(nullptr, "SHA256", nullptr),
              EVP_MAC_fetch(nullptr, "BLAKE2SMAC", nullptr)};
  GINNEL_ASSERT(out.chacha20_poly1305 != nullptr);
  GINNEL_ASSERT(out.aes_128_gcm != nullptr);
  GINNEL_ASSERT(out.aes_192_gcm != nullptr);
  GINNEL_ASSERT(out.aes_256_gcm != nullptr);
  GINNEL_ASSERT(out.blake2s_256 != nullptr);
  GINNEL_ASSERT(out.sha256 != nullptr);
  GINNEL_ASSERT(out.blake2s_mac != nullptr);
  return out;
}

}  // namespace

const OpenSsl& openssl() {
  static const OpenSsl instance = fetch();
  return instance;
}

void init_sodium() {
  static const int result = sodium_init();  // 1: somebody else did it already
  GINNEL_ASSERT(result >= 0);
}

bool update(EVP_CIPHER_CTX* context, unsigned char* out, ConstBytes in) {
  int written = 0;
  return in.empty() ||
         EVP_CipherUpdate(context, out, &written, raw(in), static_cast<int>(in.size()));
}

}  // namespace ginnel::crypto::detail
