// The keys of an encrypted cluster: AES-GCM, the first key seals, all open.
//
//    0         1            13                      n - 16
//    +---------+------------+-----------------------+------------+
//    | version | nonce (12) | ciphertext            | tag (16)   |
//    +---------+------------+-----------------------+------------+
//    version 1: as it is; version 0: padded to 16 bytes (PKCS #7) before sealing
//
//   KeyRing ring;
//   ring.install(*crypto::AesKey::from(bytes));
//   ring.seal(1, aad, {}, plain, rng, out);       // appends
//   auto plain = ring.open(blob, aad, {}, scratch);
//
// A change of keys without an outage: install everywhere, use everywhere, remove everywhere.
#pragma once
#include <ginnel/result.h>

#include <vector>

#include "crypto/aes_gcm.h"
#include "proto/swim/drop.h"

namespace ginnel::swim {

enum class KeyError : std::uint8_t {
  kNoSuchKey,   // use, remove: not in the ring; unchanged
  kPrimaryKey,  // remove: it seals what we send; unchanged
  kRingFull,    // install: more than kKeysMax; unchanged
};

class KeyRing {
 public:
  static constexpr std::size_t kKeysMax = 16;  // each costs a try per packet that none opens
  // Version 1: version, nonce, tag. Version 0: at most 16 bytes of padding more.
  static constexpr std::size_t kOverheadBytes = 1 + crypto::AesGcm::kNonceBytes + crypto::kTagBytes;

  bool empty() const { return slots_.empty(); }
  std::size_t size() const { return slots_.size(); }
  ConstBytes key(std::size_t index) const { return slots_[index].key.bytes(); }  // 0: primary

  // The first key installed becomes the primary. One already there stays where it is.
  Result<void, KeyError> install(crypto::AesKey key);
  Result<void, KeyError> use(ConstBytes key);
  Result<void, KeyError> remove(ConstBytes key);

  std::size_t sealed_bytes(std::uint8_t version, std::size_t plain_bytes) const;
  // Appends. `aad_tail` counts as if it stood behind `aad`. The ring must not be empty.
  void seal(std::uint8_t version, ConstBytes aad, ConstBytes aad_tail, ConstBytes plain, Rng& rng,
            ByteVector& out);
  // As seal(), for who chooses the nonce: never twice with one key.
  void seal_with_nonce(std::uint8_t version, crypto::AesGcm::Nonce nonce, ConstBytes aad,
                       ConstBytes aad_tail, ConstBytes plain, ByteVector& out);
  // Tries all keys, the primary first. The plaintext lies in `scratch`.
  // Errors: kTooShort, kBadVersion, kWrongKey.
  Result<ConstBytes, Drop> open(ConstBytes sealed, ConstBytes aad, ConstBytes aad_tail,
                                ByteVector& scratch);

 private:
  struct Slot {
    crypto::AesKey key;
    crypto::AesGcm cipher;
  };
  std::vector<Slot>::iterator find(ConstBytes key);

  std::vector<Slot> slots_;
};

// What may be shown of a key: 16 hexadecimal digits of its BLAKE2s-256.
std::string fingerprint_of(ConstBytes key);

}  // namespace ginnel::swim
