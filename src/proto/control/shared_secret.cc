#include "proto/control/shared_secret.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "crypto/hash.h"

namespace ginnel::control {
namespace {

// Argon2id wants a salt. There is no place where two nodes that know nothing but the secret could
// look up a random one, so it is constant: the strength is the secret's, which weakness_of guards.
constexpr std::string_view kSalt = "ginnel secret v1";
static_assert(kSalt.size() == crypto::kArgon2SaltBytes);

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

template <class Key>
Key key_from(std::string_view label, const crypto::SymmetricKey& master) {
  auto digest = crypto::blake2s_256({bytes_of(label), master.bytes()});
  Key out(digest);
  crypto::wipe(digest);
  return out;
}

// Words of 22 letters and more with at least 10 different ones. Shorter words are refused by their
// length.
constexpr std::array<std::string_view, 46> kLongWords = {
    "adrenocorticotrophichormone",
    "antidisestablishmentarian",
    "antidisestablishmentarianism",
    "ballistocardiographically",
    "carboxymethylcellulose",
    "chlorofluorohydrocarbon",
    "counterrevolutionaries",
    "counterrevolutionaryism",
    "counterdemonstrations",
    "dichlorodiphenyltrichloroethane",
    "deinstitutionalizations",
    "deinstitutionalization",
    "deoxyribonucleoproteins",
    "electrocardiographically",
    "electroencephalogram",
    "electroencephalograph",
    "electroencephalographer",
    "electroencephalographic",
    "electroencephalographically",
    "electroencephalographs",
    "electroencephalography",
    "ethylenediaminetetraacetate",
    "ethylenediaminetetraacetic",
    "floccinaucinihilipilification",
    "hexamethylenetetramine",
    "hippopotomonstrosesquippedaliophobia",
    "honorificabilitudinitatibus",
    "immunoelectrophoresis",
    "immunoelectrophoretically",
    "incomprehensibilities",
    "internationalization",
    "magnetohydrodynamically",
    "microspectrophotometer",
    "microspectrophotometric",
    "microspectrophotometry",
    "otorhinolaryngological",
    "otorhinolaryngologist",
    "philosophicopsychological",
    "phosphatidylethanolamine",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "pseudohermaphroditism",
    "pseudopseudohypoparathyroidism",
    "psychoneuroendocrinology",
    "radioimmunoelectrophoresis",
    "supercalifragilisticexpialidocious",
    "thyroparathyroidectomized"};

}  // namespace

std::string_view trimmed_secret(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Result<SecretNetwork, crypto::Argon2Error> derive_network(ConstBytes secret) {
  crypto::Argon2Salt salt{};
  std::ranges::copy(kSalt, salt.begin());
  const auto master = crypto::argon2id(secret, salt);
  if (!master) return Fail(master.error());
  return SecretNetwork{key_from<crypto::NetworkSecret>("ginnel secret network v1", *master),
                       key_from<crypto::PresharedKey>("ginnel secret preshared v1", *master)};
}

SecretWeakness weakness_of(std::string_view secret) {
  if (secret.empty()) return SecretWeakness::kEmpty;
  if (secret.size() < kSecretCharactersMin) return SecretWeakness::kShort;
  if (secret.size() > kSecretCharactersMax) return SecretWeakness::kTooLong;
  const std::set<char> different(secret.begin(), secret.end());
  if (different.size() < kSecretDifferentMin) return SecretWeakness::kUniform;
  return is_long_word(secret) ? SecretWeakness::kWord : SecretWeakness::kNone;
}

bool is_long_word(std::string_view secret) {
  std::string lower(secret);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::count(kLongWords, lower) > 0;
}

}  // namespace ginnel::control
