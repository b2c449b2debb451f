// BLAKE2s (RFC 7693) in the three forms WireGuard uses, its HMAC and key derivation, and SHA-256.
//
//   const Digest h = blake2s_256({chaining, public_key.bytes()});
//   auto [chain, key] = kdf2(chain, secret.bytes());
//
// A hash makes and frees a context of libcrypto: for handshakes, not for packets.
#pragma once
#include <openssl/types.h>

#include <array>
#include <initializer_list>
#include <memory>

#include "crypto/keys.h"

namespace ginnel::crypto {

inline constexpr std::size_t kDigestBytes = 32;
inline constexpr std::size_t kMacBytes = 16;
using Digest = std::array<std::byte, kDigestBytes>;
using Mac = std::array<std::byte, kMacBytes>;

// BLAKE2s-256 without key, over bytes that come in pieces.
class Blake2s {
 public:
  Blake2s();
  Blake2s& update(ConstBytes bytes);
  // The digest of everything since construction or the last finish(); starts anew.
  Digest finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// Of the parts one after the other.
Digest blake2s_256(std::initializer_list<ConstBytes> parts);
Digest sha256(std::initializer_list<ConstBytes> parts);

// Keyed BLAKE2s with 16 bytes of output. The length is a parameter of the hash: this is no prefix
// of the 32-byte one (RFC 7693 section 2.5). `key`: 1..32 bytes.
Mac mac16(ConstBytes key, std::initializer_list<ConstBytes> parts);

// RFC 2104 over BLAKE2s-256, block size 64. `key`: at most 64 bytes.
Digest hmac(ConstBytes key, std::initializer_list<ConstBytes> parts);

// The WireGuard paper, section 5.4: KDFn(key, input), which is HKDF (RFC 5869) with these inputs.
SymmetricKey kdf1(const SymmetricKey& key, ConstBytes input);
std::array<SymmetricKey, 2> kdf2(const SymmetricKey& key, ConstBytes input);
std::array<SymmetricKey, 3> kdf3(const SymmetricKey& key, ConstBytes input);

}  // namespace ginnel::crypto
