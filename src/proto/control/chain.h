// A node's certificate together with what makes it believable (docs/wire/ginnel.md section 5).
//
//   auto chain = parse_chain(hello->chain);
//   auto verified = verify_chain(*chain, network, wall);
//   if (!verified) refuse(verified.error());
//
//     0  count u8 (1 | 2), then per certificate: length u16le, bytes; the leaf first
//
// What verify_chain cannot know stays with the caller: that the leaf's session key is the key of
// the session it came in, revocations, and the pins of names and addresses.
#pragma once
#include "base/instant.h"
#include "proto/control/certificate.h"

namespace ginnel::control {

struct Chain {
  static constexpr std::size_t kBytesMax = 1 + 2 * (2 + Certificate::kBytesMax);

  Certificate leaf;
  std::optional<Certificate> issuer;  // of a delegated hub; none: the network key signed the leaf

  friend bool operator==(const Chain&, const Chain&) = default;
};

// Errors: those of parse_certificate; kBadField (no certificate), kTooMany (more than two).
Result<Chain, Drop> parse_chain(ConstBytes bytes);
void encode(const Chain& chain, Writer& w);

enum class CertError : std::uint8_t {
  kWrongIssuer,   // another network's, or the issuer's certificate is missing or superfluous
  kBadSignature,  // of the leaf or of its issuer
  kNotDelegated,  // the issuer may not certify this role, or the leaf would hand on a delegation
  kOutOfRange,    // the leaf's address lies outside the issuer's range
  kLifetimeTooLong,
  kNotYetValid,  // one of the clocks is wrong by more than kClockGrace
  kExpired,
};

// The issuer's clock may run ahead of ours by this much.
inline constexpr std::chrono::seconds kClockGrace{300};

struct Verified {
  Id id;
  Address overlay_ipv6;
  std::optional<Id> issuer;  // the delegated hub, for the caller to check for revocation
};
Result<Verified, CertError> verify_chain(const Chain& chain, const crypto::NetworkPublic& network,
                                         Wall wall);

}  // namespace ginnel::control
