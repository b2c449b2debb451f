// The set of certificates that no longer count (docs/wire/ginnel.md section 5).
//
//   if (parsed && verify_revocations(*parsed, network, wall) && supersedes(*parsed, held)) ...
//   held.revokes(id, certificate.serial);
//
//     0  version u8 = 1    1  number u64le    9  count u32le
//    13  per entry: id 17, serial u64le; sorted by id
//     …  signer blob16: a delegated hub's certificate; empty: the network key signed
//     …  signature 64
#pragma once
#include "proto/control/chain.h"
#include "proto/control/control_message.h"

namespace ginnel::control {

inline constexpr std::size_t kRevocationsMax = 4096;  // a set with more is refused

// Certificates of `id` up to this serial are void.
struct Revocation {
  Id id;
  std::uint64_t serial = 0;
  friend auto operator<=>(const Revocation&, const Revocation&) = default;
};

struct RevocationSet {
  static constexpr ControlType kControlType = ControlType::kRevocations;
  static constexpr std::size_t kBytesMax =
      13 + kRevocationsMax * 25 + 2 + Certificate::kBytesMax + crypto::kSignatureBytes;

  std::uint64_t number = 0;
  std::vector<Revocation> entries;    // sorted by id, each id once
  std::optional<Certificate> signer;  // none: the network key
  crypto::Signature signature;

  bool revokes(const Id& id, std::uint64_t serial) const;
  friend bool operator==(const RevocationSet&, const RevocationSet&) = default;
};

// Errors: kBadVersion, kTooMany, kBadField (not sorted), and those of parse_certificate.
Result<RevocationSet, Drop> parse_revocations(ConstBytes bytes);
void encode(const RevocationSet& set, Writer& w);
void encode_unsigned(const RevocationSet& set, Writer& w);

void sign_revocations(RevocationSet& set, const crypto::NetworkSecret& network_key);
// set.signer must be the hub's certificate.
void sign_revocations(RevocationSet& set, const crypto::NetworkPublic& network,
                      const crypto::IdentitySecret& hub);
// The signature, and for a delegated hub its certificate and its power to revoke. A hub that is
// revoked itself: the caller's check.
Result<void, CertError> verify_revocations(const RevocationSet& set,
                                           const crypto::NetworkPublic& network, Wall wall);

// The control message that asks for a set newer than the one held (0: none).
struct RevocationsRequest {
  static constexpr ControlType kControlType = ControlType::kRevocationsRequest;
  static constexpr std::size_t kBytesMax = 8;

  std::uint64_t held = 0;
  friend bool operator==(const RevocationsRequest&, const RevocationsRequest&) = default;
};
Result<RevocationsRequest, Drop> parse_revocations_request(ConstBytes body);
void encode(const RevocationsRequest& message, Writer& w);

// The first 8 bytes of the set's hash, as heartbeats carry it.
using RevocationsHash = std::array<std::uint8_t, 8>;
RevocationsHash revocations_hash(const RevocationSet& set);

// Which of two sets all nodes settle on: the greater number, then the greater hash.
bool supersedes(const RevocationSet& candidate, const RevocationSet& held);

// Every entry of both, each with its greater serial; unsigned, with the next number. For a hub
// whose own entries are missing from the set that won. May exceed kRevocationsMax.
RevocationSet united(const RevocationSet& a, const RevocationSet& b);

}  // namespace ginnel::control
