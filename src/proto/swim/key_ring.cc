#include "proto/swim/key_ring.h"

#include "base/assert.h"
#include "crypto/hash.h"

namespace ginnel::swim {
namespace {

constexpr std::size_t kNonceBytes = crypto::AesGcm::kNonceBytes;
constexpr std::size_t kHeaderBytes = 1 + kNonceBytes;
constexpr std::size_t kBlockBytes = 16;
constexpr std::uint8_t kPadded = 0;
constexpr std::uint8_t kVersionMax = 1;

// RFC 5652 section 6.3: always 1 to 16 bytes, each of which says how many.
std::size_t padding_of(std::uint8_t version, std::size_t plain_bytes) {
  return version == kPadded ? kBlockBytes - plain_bytes % kBlockBytes : 0;
}

// memberlist trusts the last byte and checks no more of the padding; the tag has vouched for it.
Result<ConstBytes, Drop> unpadded(ConstBytes plain) {
  if (plain.empty()) return Fail(Drop::kTooShort);
  const auto padding = std::to_integer<std::size_t>(plain.back());
  if (padding == 0 || padding > kBlockBytes || padding > plain.size()) {
    return Fail(Drop::kMalformed);
  }
  return plain.first(plain.size() - padding);
}

}  // namespace

std::vector<KeyRing::Slot>::iterator KeyRing::find(ConstBytes key) {
  return std::ranges::find_if(slots_, [&](const Slot& slot) {
    return crypto::equal_constant_time(slot.key.bytes(), key);
  });
}

Result<void, KeyError> KeyRing::install(crypto::AesKey key) {
  if (find(key.bytes()) != slots_.end()) return {};
  if (slots_.size() == kKeysMax) return Fail(KeyError::kRingFull);
  crypto::AesGcm cipher(key);
  slots_.push_back({std::move(key), std::move(cipher)});
  return {};
}

Result<void, KeyError> KeyRing::use(ConstBytes key) {
  const auto slot = find(key);
  if (slot == slots_.end()) return Fail(KeyError::kNoSuchKey);
  std::rotate(slots_.begin(), slot, slot + 1);
  return {};
}

Result<void, KeyError> KeyRing::remove(ConstBytes key) {
  const auto slot = find(key);
  if (slot == slots_.end()) return Fail(KeyError::kNoSuchKey);
  if (slot == slots_.begin()) return Fail(KeyError::kPrimaryKey);
  slots_.erase(slot);
  return {};
}

std::size_t KeyRing::sealed_bytes(std::uint8_t version, std::size_t plain_bytes) const {
  return kOverheadBytes + plain_bytes + padding_of(version, plain_bytes);
}

void KeyRing::seal(std::uint8_t version, ConstBytes aad, ConstBytes aad_tail, ConstBytes plain,
                   Rng& rng, ByteVector& out) {
  std::array<std::byte, kNonceBytes> nonce;
  rng.fill(nonce);
  seal_with_nonce(version, nonce, aad, aad_tail, plain, out);
}

void KeyRing::seal_with_nonce(std::uint8_t version, crypto::AesGcm::Nonce nonce, ConstBytes aad,
                              ConstBytes aad_tail, ConstBytes plain, ByteVector& out) {
  GINNEL_ASSERT(!slots_.empty());
  GINNEL_ASSERT(version <= kVersionMax);
  const std::size_t begin = out.size();
  out.push_back(std::byte{version});
  out.insert(out.end(), nonce.begin(), nonce.end());
  out.insert(out.end(), plain.begin(), plain.end());
  const std::size_t padding = padding_of(version, plain.size());
  out.insert(out.end(), padding, static_cast<std::byte>(padding));
  out.resize(out.size() + crypto::kTagBytes);
  const Bytes body = Bytes(out).subspan(begin + kHeaderBytes);
  slots_.front().cipher.seal(nonce, aad, aad_tail, body.first(plain.size() + padding), body);
}

Result<ConstBytes, Drop> KeyRing::open(ConstBytes sealed, ConstBytes aad, ConstBytes aad_tail,
                                       ByteVector& scratch) {
  if (sealed.empty()) return Fail(Drop::kTooShort);
  const auto version = std::to_integer<std::uint8_t>(sealed[0]);
  if (version > kVersionMax) return Fail(Drop::kBadVersion);
  if (sealed.size() < sealed_bytes(version, 0)) return Fail(Drop::kTooShort);
  const crypto::AesGcm::Nonce nonce(sealed.data() + 1, kNonceBytes);
  const ConstBytes body = sealed.subspan(kHeaderBytes);
  scratch.resize(body.size());
  for (Slot& slot : slots_) {
    if (!slot.cipher.open(nonce, aad, aad_tail, body, scratch)) continue;
    const ConstBytes plain = ConstBytes(scratch).first(body.size() - crypto::kTagBytes);
    return version == kPadded ? unpadded(plain) : Result<ConstBytes, Drop>(plain);
  }
  return Fail(Drop::kWrongKey);
}

std::string fingerprint_of(ConstBytes key) {
  return to_hex(ConstBytes(crypto::blake2s_256({key})).first(8));
}

}  // namespace ginnel::swim
