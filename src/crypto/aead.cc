#include "crypto/aead.h"

#include <openssl/evp.h>
#include <sodium/crypto_aead_xchacha20poly1305.h>

#include "base/assert.h"
#include "base/writer.h"
#include "crypto/libraries.h"

namespace ginnel::crypto {

using detail::kDecrypt;
using detail::kEncrypt;
using detail::raw;
using detail::update;

namespace {

constexpr std::size_t kNonceBytes = 12;

}  // namespace

void Aead::Free::operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }

Aead::Aead(const SymmetricKey& key) : context_(EVP_CIPHER_CTX_new()) {
  GINNEL_ASSERT(context_ != nullptr);
  GINNEL_ASSERT(EVP_CipherInit_ex2(context_.get(), detail::openssl().chacha20_poly1305, key.raw(),
                                   nullptr, kEncrypt, nullptr) == 1);
}

// RFC 8439 section 2.8: the nonce is a 32-bit constant, then the 64-bit counter.
void Aead::start(std::uint64_t counter, ConstBytes aad, int encrypt) {
  std::array<std::byte, kNonceBytes> nonce{};
  Writer(nonce).zeros(4).u64le(counter);
  GINNEL_ASSERT(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, raw(ConstBytes(nonce)),
                                   encrypt, nullptr) == 1);
  GINNEL_ASSERT(update(context_.get(), nullptr, aad));
}

std::size_t Aead::seal(std::uint64_t counter, ConstBytes aad, ConstBytes plaintext, Bytes out) {
  GINNEL_ASSERT(out.size() >= plaintext.size() + kTagBytes);
  start(counter, aad, kEncrypt);
  GINNEL_ASSERT(update(context_.get(), raw(out), plaintext));
  const Bytes tag = out.subspan(plaintext.size(), kTagBytes);
  int written = 0;
  GINNEL_ASSERT(EVP_CipherFinal_ex(context_.get(), raw(tag), &written) == 1);
  GINNEL_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag.data()) ==
                1);
  return plaintext.size() + kTagBytes;
}

bool Aead::open(std::uint64_t counter, ConstBytes aad, ConstBytes sealed, Bytes out) {
  if (sealed.size() < kTagBytes) return false;
  const ConstBytes ciphertext = sealed.first(sealed.size() - kTagBytes);
  GINNEL_ASSERT(out.size() >= ciphertext.size());
  start(counter, aad, kDecrypt);
  std::array<std::byte, kTagBytes> tag;
  std::ranges::copy(sealed.last(kTagBytes), tag.begin());
  GINNEL_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) ==
                1);
  if (!update(context_.get(), raw(out), ciphertext)) return false;
  int written = 0;
  return EVP_CipherFinal_ex(context_.get(), raw(Bytes(tag)), &written) == 1;
}

std::size_t xaead_seal(const SymmetricKey& key, const XNonce& nonce, ConstBytes aad,
                       ConstBytes plaintext, Bytes out) {
  GINNEL_ASSERT(out.size() >= plaintext.size() + kTagBytes);
  detail::init_sodium();
  unsigned long long written = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(out), &written, raw(plaintext), plaintext.size(),
                                             raw(aad), aad.size(), nullptr, nonce.data(),
                                             key.raw());
  return static_cast<std::size_t>(written);
}

bool xaead_open(const SymmetricKey& key, const XNonce& nonce, ConstBytes aad, ConstBytes sealed,
                Bytes out) {
  if (sealed.size() < kTagBytes) return false;
  GINNEL_ASSERT(out.size() >= sealed.size() - kTagBytes);
  detail::init_sodium();
  unsigned long long written = 0;
  return crypto_aead_xchacha20poly1305_ietf_decrypt(raw(out), &written, nullptr, raw(sealed),
                                                    sealed.size(), raw(aad), aad.size(),
                                                    nonce.data(), key.raw()) == 0;
}

}  // namespace ginnel::crypto
