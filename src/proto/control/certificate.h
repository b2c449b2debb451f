// A certificate: this identity, with this session key, name and address, belongs to this network
// (docs/wire/ginnel.md section 5).
//
//   auto certificate = parse_certificate(bytes);
//   sign_certificate(mine, network_secret);
//
//     0  version u8 = 1        1  role u8 'C' | 'S'      2  flags u8
//     3  identity key 32      35  session key 32
//    67  serial u64le         75  not before u64le (s)  83  lifetime u32le (s)
//    87  issuer 8             95  name text8
//     …  IPv4 address 4 (flag bit 0)
//     …  tag count u8, per tag: key text8, value text8
//     …  delegation (flag bit 1): powers u8, range 4 + 1, lifetime u32le (s)
//     …  signature 64
//
// Every certificate has one encoding, so a signature is checked over re-written bytes.
#pragma once
#include <ginnel/id.h>
#include <ginnel/result.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "proto/control/drop.h"

namespace ginnel::control {

inline constexpr std::uint8_t kCertificateVersion = 1;
inline constexpr std::size_t kTagsMax = 16;
inline constexpr std::size_t kTagKeyBytesMax = 64;
inline constexpr std::size_t kTagsBytesMax = 256;  // of all tags, length bytes included

// The first bytes of a hash of a signing key: finds the issuer, proves nothing.
using KeyHash = std::array<std::uint8_t, 8>;
KeyHash key_hash(const crypto::NetworkPublic& key);
KeyHash key_hash(const crypto::IdentityPublic& key);

// Sorted by key, each key once.
struct Tag {
  std::string key;
  std::string value;
  friend auto operator<=>(const Tag&, const Tag&) = default;
};
// A certificate may carry them: sorted, each key once, within the limits above.
bool are_tags(std::span<const Tag> tags);

// What a hub may do in the network key's place. Nobody can hand this on.
struct Delegation {
  enum Power : std::uint8_t { kCertifyPeers = 1, kCertifyHubs = 2, kRevoke = 4 };
  static constexpr std::uint8_t kPowersMask = 7;

  std::uint8_t powers = 0;             // of Power
  Prefix range;                        // IPv4, in which it hands out addresses
  std::uint32_t lifetime_seconds = 0;  // of a certificate it issues, at most

  bool may(Power power) const { return (powers & power) != 0; }
  bool may_certify(Role role) const {
    return may(role == Role::kHub ? kCertifyHubs : kCertifyPeers);
  }
  friend bool operator==(const Delegation&, const Delegation&) = default;
};

struct Certificate {
  static constexpr std::size_t kBytesMax = 512;

  Role role = Role::kPeer;
  crypto::IdentityPublic identity;
  crypto::SessionPublic session;
  std::uint64_t serial = 0;              // greater than every earlier one of this identity
  std::uint64_t not_before_seconds = 0;  // since 1970
  std::uint32_t lifetime_seconds = 0;
  KeyHash issuer{};
  std::string name;
  std::optional<Address> ipv4;
  std::vector<Tag> tags;
  std::optional<Delegation> delegation;
  crypto::Signature signature;

  friend bool operator==(const Certificate&, const Certificate&) = default;
};

// Errors: kBadVersion; kTooLong (over 512 bytes, or tags over 256); kTooMany (tags); kBadField.
// The signature is not checked (signed_by).
Result<Certificate, Drop> parse_certificate(ConstBytes bytes);
void encode(const Certificate& certificate, Writer& w);
void encode_unsigned(const Certificate& certificate, Writer& w);

// Sets issuer and signature. `network` is the network id that the certificate is for.
void sign_certificate(Certificate& certificate, const crypto::NetworkSecret& network_key);
void sign_certificate(Certificate& certificate, const crypto::NetworkPublic& network,
                      const crypto::IdentitySecret& hub);
[[nodiscard]] bool signed_by(const Certificate& certificate,
                             const crypto::NetworkPublic& network_key);
[[nodiscard]] bool signed_by(const Certificate& certificate, const crypto::NetworkPublic& network,
                             const crypto::IdentityPublic& hub);

// Names these exact bytes: in a HELLO or a row, in place of what the receiver holds.
crypto::Digest certificate_hash(ConstBytes certificate_bytes);

}  // namespace ginnel::control
