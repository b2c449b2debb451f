// The Noise handshake of WireGuard, Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (the WireGuard paper,
// sections 5.4.2 to 5.4.5), as functions over values: no timers, no tables, no randomness.
//
//   initiator                                     responder
//   1. create_initiation(...)   -- Initiation ->  2. open_initiation(...)   whose static key is it?
//                                                 3. open_timestamp(...)    is it really theirs?
//   5. consume_response(...)    <-- Response ---  4. create_response(...)
//   Both then hold the same TransportKeys, mirrored.
//
// Every intermediate secret wipes itself. The ephemeral key is an argument so that the vectors of
// testdata/ can be reproduced; callers make a new one each time.
#pragma once
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "proto/wg/timestamp.h"
#include "proto/wg/wire.h"

namespace ginnel::wg {

struct LocalKeys {
  crypto::SessionSecret secret;
  crypto::SessionPublic public_key;

  explicit LocalKeys(crypto::SessionSecret key)
      : secret(std::move(key)), public_key(crypto::public_of(secret)) {}
};

struct RemoteKeys {
  crypto::SessionPublic public_key;
  crypto::SymmetricKey static_static;  // DH(local, remote), computed once per peer
  crypto::PresharedKey preshared;      // all zero: none

  // Error: kWeakKey.
  static Result<RemoteKeys, Drop> make(const LocalKeys& local, const crypto::SessionPublic& remote,
                                       crypto::PresharedKey preshared);
};

// The running chaining key C and hash H.
class NoiseState {
 public:
  // C = C0, H = Hash(H0 || responder's static key).
  explicit NoiseState(const crypto::SessionPublic& responder);
  NoiseState clone() const;

  void mix_hash(ConstBytes data);
  void mix_key(ConstBytes input);                          // C = KDF1(C, input)
  crypto::SymmetricKey mix_key_and_get(ConstBytes input);  // (C, k) = KDF2(C, input)
  crypto::SymmetricKey mix_preshared(const crypto::PresharedKey& preshared);
  // Ciphertext and tag go to `out`, and into H.
  void seal(const crypto::SymmetricKey& key, ConstBytes plaintext, Bytes out);
  [[nodiscard]] bool open(const crypto::SymmetricKey& key, ConstBytes sealed, Bytes out);

  const crypto::SymmetricKey& chain() const { return chain_; }
  const crypto::Digest& hash() const { return hash_; }

 private:
  NoiseState() = default;

  crypto::SymmetricKey chain_;
  crypto::Digest hash_{};
};

struct TransportKeys {
  crypto::SymmetricKey send;
  crypto::SymmetricKey receive;
};

// What the initiator keeps until the response.
struct InitiatorHandshake {
  NoiseState noise;
  crypto::SessionSecret ephemeral;
};

// Fills `out`. Error: kWeakKey.
Result<InitiatorHandshake, Drop> create_initiation(const LocalKeys& local, const RemoteKeys& remote,
                                                   crypto::SessionSecret ephemeral,
                                                   ReceiverIndex sender, const Timestamp& timestamp,
                                                   Initiation& out);

// An initiation whose static key was read. It proves nothing yet: anybody can name any key.
struct OpenedInitiation {
  NoiseState noise;
  crypto::SessionPublic remote_static;
  crypto::SessionPublic remote_ephemeral;
  ReceiverIndex sender;
};
// One DH. Errors: kWeakKey, kNotAuthentic.
Result<OpenedInitiation, Drop> open_initiation(const LocalKeys& local, const Initiation& message);

// Proves that the initiator holds the static key (or that somebody replays what it sent once): the
// caller must compare the stamp with the greatest accepted. Error: kNotAuthentic.
Result<Timestamp, Drop> open_timestamp(OpenedInitiation& opened, const Initiation& message,
                                       const crypto::SymmetricKey& static_static);

// Fills `out`. Error: kWeakKey.
Result<TransportKeys, Drop> create_response(const OpenedInitiation& opened,
                                            const crypto::PresharedKey& preshared,
                                            const crypto::SessionSecret& ephemeral,
                                            ReceiverIndex sender, Response& out);

// `handshake` is unchanged, so that a forged response does not end the attempt.
// Errors: kWeakKey, kNotAuthentic.
Result<TransportKeys, Drop> consume_response(const InitiatorHandshake& handshake,
                                             const LocalKeys& local,
                                             const crypto::PresharedKey& preshared,
                                             const Response& message);

}  // namespace ginnel::wg
