// AES-GCM (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag, for formats that ask for it:
// memberlist's gossip. Ginnel's own sessions use ChaCha20-Poly1305 (crypto/aead.h).
//
//   AesGcm cipher(*AesKey::from(bytes));            // 16, 24 or 32 bytes: AES-128, -192, -256
//   cipher.seal(nonce, aad, plaintext, out);        // ciphertext || tag
//   if (!cipher.open(nonce, aad, sealed, out)) ...
//
// An AesGcm allocates in its constructor and never again; it belongs to one thread at a time.
// Whoever seals must not use a (key, nonce) pair twice.
#pragma once
#include <openssl/types.h>

#include <memory>

#include "crypto/aead.h"

namespace ginnel::crypto {

// A key whose size names the cipher. Wipes itself, compares in constant time, has no text form.
class AesKey {
 public:
  // nullopt: neither 16, 24 nor 32 bytes.
  static std::optional<AesKey> from(ConstBytes bytes);
  ~AesKey() { wipe(bytes_); }
  AesKey(const AesKey&) = delete;
  AesKey& operator=(const AesKey&) = delete;
  AesKey(AesKey&& other) noexcept;
  AesKey& operator=(AesKey&& other) noexcept;
  AesKey clone() const { return *from(bytes()); }

  ConstBytes bytes() const { return ConstBytes(bytes_).first(size_); }
  friend bool operator==(const AesKey& a, const AesKey& b) {
    return equal_constant_time(a.bytes(), b.bytes());
  }

 private:
  AesKey() = default;
  std::array<std::byte, 32> bytes_{};
  std::size_t size_ = 0;
};

class AesGcm {
 public:
  static constexpr std::size_t kNonceBytes = 12;
  using Nonce = std::span<const std::byte, kNonceBytes>;

  explicit AesGcm(const AesKey& key);

  // Writes plaintext.size() + kTagBytes bytes to `out`, which may begin where `plaintext` does.
  // `aad_tail` is authenticated as if it stood behind `aad`.
  std::size_t seal(Nonce nonce, ConstBytes aad, ConstBytes aad_tail, ConstBytes plaintext,
                   Bytes out);
  // Writes sealed.size() - kTagBytes bytes to `out`, which may begin where `sealed` does. False:
  // too short, or not authentic; `out` then holds nothing of meaning.
  [[nodiscard]] bool open(Nonce nonce, ConstBytes aad, ConstBytes aad_tail, ConstBytes sealed,
                          Bytes out);

 private:
  void start(Nonce nonce, ConstBytes aad, ConstBytes aad_tail, int encrypt);

  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const;  // wipes the key
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

}  // namespace ginnel::crypto
