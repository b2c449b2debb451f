// Keys with a type each, so that one cannot stand where another belongs.
//
//   const SessionSecret secret = SessionSecret::generate(rng);
//   const SessionPublic mine = public_of(secret);        // crypto/dh.h
//   auto theirs = SessionPublic::from_base64("B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=");
//
// Secrets wipe themselves, compare in constant time, have no text form and are copied only by
// clone(). Public keys are plain values. Never allocates, except for text.
#pragma once
#include <sodium/utils.h>

#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/rng.h"

namespace ginnel::crypto {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

// Overwrites memory in a way that the compiler may not leave out.
inline void wipe(Bytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }
// Takes the same time wherever the difference lies. Sizes are no secret.
inline bool equal_constant_time(ConstBytes a, ConstBytes b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

template <class Tag>
class SecretKey {
 public:
  SecretKey() = default;  // all zero
  explicit SecretKey(std::span<const std::byte, kKeyBytes> bytes) {
    std::memcpy(bytes_.data(), bytes.data(), kKeyBytes);
  }
  // nullopt: not 32 bytes.
  static std::optional<SecretKey> from(ConstBytes bytes) {
    if (bytes.size() != kKeyBytes) return std::nullopt;
    return SecretKey(bytes.first<kKeyBytes>());
  }
  static SecretKey generate(Rng& rng) {
    SecretKey out;
    rng.fill(out.bytes_);
    return out;
  }
  ~SecretKey() { wipe(bytes_); }
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  SecretKey(SecretKey&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  SecretKey& operator=(SecretKey&& other) noexcept {
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    wipe(other.bytes_);
    return *this;
  }
  SecretKey clone() const { return SecretKey(bytes()); }

  std::span<const std::byte, kKeyBytes> bytes() const { return bytes_; }
  // For the functions that make keys.
  std::span<std::byte, kKeyBytes> writable() { return bytes_; }
  bool is_zero() const { return sodium_is_zero(raw(), kKeyBytes) == 1; }
  const unsigned char* raw() const { return reinterpret_cast<const unsigned char*>(bytes_.data()); }
  unsigned char* raw() { return reinterpret_cast<unsigned char*>(bytes_.data()); }

  friend bool operator==(const SecretKey& a, const SecretKey& b) {
    return equal_constant_time(a.bytes_, b.bytes_);
  }

 private:
  std::array<std::byte, kKeyBytes> bytes_{};
};

// A value that everybody may see: a public key, or a signature.
template <class Tag, std::size_t Size>
class PublicValue {
 public:
  static constexpr std::size_t kSize = Size;

  PublicValue() = default;  // all zero
  explicit PublicValue(std::span<const std::byte, Size> bytes) {
    std::memcpy(bytes_.data(), bytes.data(), Size);
  }
  // nullopt: not of this size.
  static std::optional<PublicValue> from(ConstBytes bytes) {
    if (bytes.size() != Size) return std::nullopt;
    return PublicValue(bytes.first<Size>());
  }
  static std::optional<PublicValue> from_hex(std::string_view text) {
    const auto bytes = ginnel::from_hex(text);
    return bytes ? from(*bytes) : std::nullopt;
  }
  static std::optional<PublicValue> from_base64(std::string_view text) {
    const auto bytes = ginnel::from_base64(text);
    return bytes ? from(*bytes) : std::nullopt;
  }

  std::span<const std::byte, Size> bytes() const { return bytes_; }
  std::span<std::byte, Size> writable() { return bytes_; }
  const unsigned char* raw() const { return reinterpret_cast<const unsigned char*>(bytes_.data()); }
  unsigned char* raw() { return reinterpret_cast<unsigned char*>(bytes_.data()); }
  std::string hex() const { return to_hex(bytes_); }
  std::string base64() const { return to_base64(bytes_); }

  friend auto operator<=>(const PublicValue&, const PublicValue&) = default;

 private:
  std::array<std::byte, Size> bytes_{};
};
template <class Tag>
using PublicKey = PublicValue<Tag, kKeyBytes>;

using IdentitySecret = SecretKey<struct IdentityTag>;  // Ed25519 seed: the node itself
using IdentityPublic = PublicKey<struct IdentityTag>;
using SessionSecret = SecretKey<struct SessionTag>;  // X25519: WireGuard's static or ephemeral key
using SessionPublic = PublicKey<struct SessionTag>;
using NetworkSecret = SecretKey<struct NetworkTag>;   // Ed25519 seed that signs certificates
using NetworkPublic = PublicKey<struct NetworkTag>;   // the network id
using PresharedKey = SecretKey<struct PresharedTag>;  // WireGuard's Q; all zero: none
using SymmetricKey = SecretKey<struct SymmetricTag>;  // of an AEAD or a MAC, or a shared secret
using Signature = PublicValue<struct SignatureTag, kSignatureBytes>;

}  // namespace ginnel::crypto

template <class Tag, std::size_t Size>
struct std::hash<ginnel::crypto::PublicValue<Tag, Size>> {
  std::size_t operator()(const ginnel::crypto::PublicValue<Tag, Size>& v) const noexcept {
    return std::hash<std::string_view>{}(ginnel::text_of(v.bytes()));
  }
};
