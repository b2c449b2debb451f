// A network that is made by a secret which all its nodes hold (docs/wire/ginnel.md section 5): the
// network key and the preshared key of every session follow from it.
//
//   if (weakness_of(secret) != SecretWeakness::kNone) refuse();
//   auto network = derive_network(bytes_of(secret));   // takes about 0.15 s, on purpose
//   crypto::public_of(network->key);                    // the network id
//
// Pure. The secret is wiped by its owner; nothing here keeps it.
#pragma once
#include <ginnel/result.h>

#include <string_view>

#include "crypto/argon2.h"

namespace ginnel::control {

struct SecretNetwork {
  crypto::NetworkSecret key;       // signs the certificate of each node
  crypto::PresharedKey preshared;  // of every session

  SecretNetwork clone() const { return {key.clone(), preshared.clone()}; }
};

// The secret as it stands in its file: without white space before and after.
std::string_view trimmed_secret(std::string_view text);

// Error: kNoMemory (64 MiB are needed while it runs).
Result<SecretNetwork, crypto::Argon2Error> derive_network(ConstBytes secret);

// What a secret must have at least, so that nobody finds it by trying.
inline constexpr std::size_t kSecretCharactersMin = 22;  // 128 bits in base64
inline constexpr std::size_t kSecretDifferentMin = 10;
inline constexpr std::size_t kSecretCharactersMax = 4096;  // longer is another file

enum class SecretWeakness : std::uint8_t { kNone, kEmpty, kShort, kUniform, kWord, kTooLong };
// `secret` is trimmed. Whoever has a dictionary asks that as well.
SecretWeakness weakness_of(std::string_view secret);
// One of the English words that are long enough to pass all other rules, in any case.
bool is_long_word(std::string_view secret);

}  // namespace ginnel::control
