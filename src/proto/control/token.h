// A join token: all that a newcomer needs to reach a hub and be let in (docs/wire/ginnel.md
// section 5).
//
//   auto token = parse_token(text);      // "ginnel1-…", white space around it ignored
//
//     0  version u8 = 1     1  role u8 'C' | 'S'     2  network id 32
//    34  secret 32         66  expiry u64le (s)
//    74  hub count u8, per hub: session key 32, endpoint count u8, per endpoint text8 "host:port"
//     …  checksum 4
#pragma once
#include <ginnel/id.h>
#include <ginnel/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "crypto/keys.h"

namespace ginnel::control {

inline constexpr std::string_view kTokenPrefix = "ginnel1-";
inline constexpr std::size_t kTokenHubsMax = 8;
inline constexpr std::size_t kTokenEndpointsMax = 8;  // per hub
inline constexpr std::size_t kTokenTextBytesMax = 4096;

using TokenSecret = crypto::SecretKey<struct TokenTag>;

struct TokenHub {
  crypto::SessionPublic session;
  std::vector<std::string> endpoints;  // "host:port", to be resolved
  friend bool operator==(const TokenHub&, const TokenHub&) = default;
};

struct Token {
  Role role = Role::kPeer;
  crypto::NetworkPublic network;
  TokenSecret secret;
  std::uint64_t expiry_seconds = 0;  // since 1970
  std::vector<TokenHub> hubs;        // 1..kTokenHubsMax

  friend bool operator==(const Token&, const Token&) = default;
};

// Told apart so that the user knows what to do next.
enum class TokenError : std::uint8_t {
  kMalformed,  // this text never was a token
  kVersion,    // made by a newer program
  kChecksum,   // cut short, or mistyped
};
Result<Token, TokenError> parse_token(std::string_view text);

// Empty: the token exceeds a limit above.
std::string token_text(const Token& token);

// What a hub keeps of a token that it has made: the secret itself stays with its holder.
crypto::Digest token_secret_hash(const TokenSecret& secret);

}  // namespace ginnel::control
