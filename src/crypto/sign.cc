#include "crypto/sign.h"

#include <sodium/crypto_sign_ed25519.h>

#include "crypto/libraries.h"

namespace ginnel::crypto {

using detail::raw;

namespace {

// libsodium's secret key is seed || public key.
struct ExpandedKey {
  std::array<unsigned char, crypto_sign_ed25519_SECRETKEYBYTES> secret;
  std::array<unsigned char, crypto_sign_ed25519_PUBLICKEYBYTES> public_half;

  explicit ExpandedKey(const unsigned char* seed) {
    detail::init_sodium();
    crypto_sign_ed25519_seed_keypair(public_half.data(), secret.data(), seed);
  }
  ~ExpandedKey() { wipe(std::as_writable_bytes(std::span(secret))); }
  ExpandedKey(const ExpandedKey&) = delete;
  ExpandedKey& operator=(const ExpandedKey&) = delete;
};

template <class Tag>
PublicKey<Tag> public_half(const SecretKey<Tag>& seed) {
  const ExpandedKey key(seed.raw());
  return PublicKey<Tag>(std::as_bytes(std::span(key.public_half)));
}

template <class Tag>
Signature sign_with(const SecretKey<Tag>& seed, ConstBytes message) {
  const ExpandedKey key(seed.raw());
  Signature out;
  crypto_sign_ed25519_detached(out.raw(), nullptr, raw(message), message.size(), key.secret.data());
  return out;
}

template <class Tag>
bool verifies(const PublicKey<Tag>& key, ConstBytes message, const Signature& signature) {
  detail::init_sodium();
  return crypto_sign_ed25519_verify_detached(signature.raw(), raw(message), message.size(),
                                             key.raw()) == 0;
}

}  // namespace

IdentityPublic public_of(const IdentitySecret& seed) { return public_half(seed); }
NetworkPublic public_of(const NetworkSecret& seed) { return public_half(seed); }
Signature sign(const IdentitySecret& seed, ConstBytes message) { return sign_with(seed, message); }
Signature sign(const NetworkSecret& seed, ConstBytes message) { return sign_with(seed, message); }
bool verify(const IdentityPublic& key, ConstBytes message, const Signature& signature) {
  return verifies(key, message, signature);
}
bool verify(const NetworkPublic& key, ConstBytes message, const Signature& signature) {
  return verifies(key, message, signature);
}

}  // namespace ginnel::crypto
