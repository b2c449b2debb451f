#include "crypto/aes_gcm.h"

#include <openssl/evp.h>

#include "base/assert.h"
#include "crypto/libraries.h"

namespace ginnel::crypto {

using detail::kDecrypt;
using detail::kEncrypt;
using detail::raw;
using detail::update;

namespace {

const EVP_CIPHER* cipher_of(const AesKey& key) {
  switch (key.bytes().size()) {
    case 16: return detail::openssl().aes_128_gcm;
    case 24: return detail::openssl().aes_192_gcm;
    default: return detail::openssl().aes_256_gcm;
  }
}

}  // namespace

std::optional<AesKey> AesKey::from(ConstBytes bytes) {
  if (bytes.size() != 16 && bytes.size() != 24 && bytes.size() != 32) return std::nullopt;
  AesKey out;
  std::ranges::copy(bytes, out.bytes_.begin());
  out.size_ = bytes.size();
  return out;
}

AesKey::AesKey(AesKey&& other) noexcept : bytes_(other.bytes_), size_(other.size_) {
  wipe(other.bytes_);
}

AesKey& AesKey::operator=(AesKey&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  size_ = other.size_;
  wipe(other.bytes_);
  return *this;
}

void AesGcm::Free::operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }

// SP 800-38D's usual sizes, 12 and 16, are libcrypto's defaults.
AesGcm::AesGcm(const AesKey& key) : context_(EVP_CIPHER_CTX_new()) {
  GINNEL_ASSERT(context_ != nullptr);
  GINNEL_ASSERT(EVP_CipherInit_ex2(context_.get(), cipher_of(key), raw(key.bytes()), nullptr,
                                   kEncrypt, nullptr) == 1);
}

void AesGcm::start(Nonce nonce, ConstBytes aad, ConstBytes aad_tail, int encrypt) {
  GINNEL_ASSERT(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, raw(ConstBytes(nonce)),
                                   encrypt, nullptr) == 1);
  GINNEL_ASSERT(update(context_.get(), nullptr, aad));
  GINNEL_ASSERT(update(context_.get(), nullptr, aad_tail));
}

std::size_t AesGcm::seal(Nonce nonce, ConstBytes aad, ConstBytes aad_tail, ConstBytes plaintext,
                         Bytes out) {
  GINNEL_ASSERT(out.size() >= plaintext.size() + kTagBytes);
  start(nonce, aad, aad_tail, kEncrypt);
  GINNEL_ASSERT(update(context_.get(), raw(out), plaintext));
  const Bytes tag = out.subspan(plaintext.size(), kTagBytes);
  int written = 0;
  GINNEL_ASSERT(EVP_CipherFinal_ex(context_.get(), raw(tag), &written) == 1);
  GINNEL_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                                    tag.data()) == 1);
  return plaintext.size() + kTagBytes;
}

bool AesGcm::open(Nonce nonce, ConstBytes aad, ConstBytes aad_tail, ConstBytes sealed, Bytes out) {
  if (sealed.size() < kTagBytes) return false;
  const ConstBytes ciphertext = sealed.first(sealed.size() - kTagBytes);
  GINNEL_ASSERT(out.size() >= ciphertext.size());
  start(nonce, aad, aad_tail, kDecrypt);
  std::array<std::byte, kTagBytes> tag;
  std::ranges::copy(sealed.last(kTagBytes), tag.begin());
  GINNEL_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                                    tag.data()) == 1);
  if (!update(context_.get(), raw(out), ciphertext)) return false;
  int written = 0;
  return EVP_CipherFinal_ex(context_.get(), raw(Bytes(tag)), &written) == 1;
}

}  // namespace ginnel::crypto
