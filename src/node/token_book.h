// A hub's tokens: which it made, until when, how often each may be redeemed, and by whom each was.
// Redeeming is idempotent per (token, identity key): the same key gets the same certificate again.
//
// The secret itself stays with its holder; the book keeps a hash. Pure; write() is what the identity
// store keeps, and the hub answers a JOIN only after it is stored.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "crypto/hash.h"
#include "proto/control/certificate.h"
#include "proto/control/hello.h"
#include "proto/control/token.h"

namespace ginnel::node {

// At the limit `invite` is refused until old tokens have expired.
inline constexpr std::size_t kTokensMax = 10'000;
inline constexpr std::uint32_t kTokenUsesMax = 100'000;

struct TokenTerms {
  Role role = Role::kPeer;
  std::uint64_t expiry_seconds = 0;  // since 1970
  std::uint32_t uses = 1;            // different identity keys that may redeem it
  std::vector<control::Tag> tags;    // that its redeemers' certificates carry
};

class TokenBook {
 public:
  // False: kTokensMax reached.
  bool add(const control::TokenSecret& secret, TokenTerms terms, Wall wall);
  // Withdraws a token: whoever redeemed it stays, nobody else is let in.
  bool withdraw(const control::TokenSecret& secret);

  // May this key redeem the token? Returns its terms. Errors: kTokenInvalid, kTokenWithdrawn,
  // kTokenExpired, kNotAllowed (another role), kTokenUsed. Changes nothing.
  Result<const TokenTerms*, control::RefusedCode> check(const control::TokenSecret& secret,
                                                        const crypto::IdentityPublic& identity,
                                                        Role role, Wall wall) const;
  // The chain that this key got for this token, if it redeemed it before.
  const ByteVector* redeemed(const control::TokenSecret& secret,
                             const crypto::IdentityPublic& identity) const;
  // Notes the redemption; check() must have agreed.
  void redeem(const control::TokenSecret& secret, const crypto::IdentityPublic& identity,
              ByteVector chain);

  ByteVector write() const;
  // nullopt: damaged.
  static std::optional<TokenBook> parse(ConstBytes bytes);

 private:
  struct Entry {
    TokenTerms terms;
    bool withdrawn = false;
    std::map<crypto::IdentityPublic, ByteVector> redeemed;
  };
  const Entry* find(const control::TokenSecret& secret) const;
  void forget_expired(Wall wall);

  std::map<crypto::Digest, Entry> entries_;
};

}  // namespace ginnel::node
