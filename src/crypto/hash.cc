#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/assert.h"
#include "crypto/libraries.h"

namespace ginnel::crypto {
namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::byte kInnerPad{0x36};
constexpr std::byte kOuterPad{0x5c};

std::array<std::byte, kBlockBytes> padded(ConstBytes key, std::byte pad) {
  std::array<std::byte, kBlockBytes> out{};
  std::ranges::copy(key, out.begin());
  for (std::byte& b : out) b ^= pad;
  return out;
}

// T(i) = HMAC(T(0), T(i - 1) || i), T(0) = HMAC(key, input); the i-th key is T(i).
template <std::size_t N>
std::array<SymmetricKey, N> derive(const SymmetricKey& key, ConstBytes input) {
  Digest extracted = hmac(key.bytes(), {input});
  std::array<SymmetricKey, N> out;
  ConstBytes previous;
  for (std::size_t i = 0; i < N; ++i) {
    const std::array<std::byte, 1> number{static_cast<std::byte>(i + 1)};
    Digest next = hmac(extracted, {previous, number});
    out[i] = SymmetricKey(next);
    previous = out[i].bytes();
    wipe(next);
  }
  wipe(extracted);
  return out;
}

}  // namespace

void Blake2s::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Blake2s::Blake2s() : context_(EVP_MD_CTX_new()) {
  GINNEL_ASSERT(context_ != nullptr);
  GINNEL_ASSERT(EVP_DigestInit_ex2(context_.get(), detail::openssl().blake2s_256, nullptr) == 1);
}

Blake2s& Blake2s::update(ConstBytes bytes) {
  GINNEL_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  return *this;
}

Digest Blake2s::finish() {
  Digest out;
  GINNEL_ASSERT(EVP_DigestFinal_ex(context_.get(), detail::raw(Bytes(out)), nullptr) == 1);
  GINNEL_ASSERT(EVP_DigestInit_ex2(context_.get(), detail::openssl().blake2s_256, nullptr) == 1);
  return out;
}

Digest blake2s_256(std::initializer_list<ConstBytes> parts) {
  Blake2s hash;
  for (const ConstBytes part : parts) hash.update(part);
  return hash.finish();
}

Digest sha256(std::initializer_list<ConstBytes> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  GINNEL_ASSERT(context != nullptr);
  GINNEL_ASSERT(EVP_DigestInit_ex2(context.get(), detail::openssl().sha256, nullptr) == 1);
  for (const ConstBytes part : parts) {
    GINNEL_ASSERT(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  Digest out;
  GINNEL_ASSERT(EVP_DigestFinal_ex(context.get(), detail::raw(Bytes(out)), nullptr) == 1);
  return out;
}

Mac mac16(ConstBytes key, std::initializer_list<ConstBytes> parts) {
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_new(detail::openssl().blake2s_mac), &EVP_MAC_CTX_free);
  GINNEL_ASSERT(context != nullptr);
  std::size_t size = kMacBytes;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_end()};
  GINNEL_ASSERT(EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key.data()),
                             key.size(), params) == 1);
  for (const ConstBytes part : parts) {
    GINNEL_ASSERT(EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(part.data()),
                                 part.size()) == 1);
  }
  Mac out;
  GINNEL_ASSERT(EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                              out.size()) == 1);
  return out;
}

Digest hmac(ConstBytes key, std::initializer_list<ConstBytes> parts) {
  GINNEL_ASSERT(key.size() <= kBlockBytes);
  auto inner_key = padded(key, kInnerPad);
  auto outer_key = padded(key, kOuterPad);
  Blake2s hash;
  hash.update(inner_key);
  for (const ConstBytes part : parts) hash.update(part);
  Digest inner = hash.finish();
  const Digest out = hash.update(outer_key).update(inner).finish();
  wipe(inner_key);
  wipe(outer_key);
  wipe(inner);
  return out;
}

SymmetricKey kdf1(const SymmetricKey& key, ConstBytes input) {
  return std::move(derive<1>(key, input)[0]);
}
std::array<SymmetricKey, 2> kdf2(const SymmetricKey& key, ConstBytes input) {
  return derive<2>(key, input);
}
std::array<SymmetricKey, 3> kdf3(const SymmetricKey& key, ConstBytes input) {
  return derive<3>(key, input);
}

}  // namespace ginnel::crypto
