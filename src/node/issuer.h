// Makes certificates for newcomers, as the network key itself or as a hub it delegated.
//
//   Issuer issuer(network_secret, overlay_v4);
//   auto chain = issuer.issue({.role = …, .identity = …, .session = …, .name = "bob"}, trust, wall);
//
// The issuing hub picks the overlay address (by hash first, then the next free one) and signs it
// (docs/design.md section 4).
#pragma once
#include "node/trust.h"

namespace ginnel::node {

inline constexpr std::chrono::seconds kCertificateLifetime = std::chrono::hours(24 * 90);
// How many candidates are tried before the range counts as full.
inline constexpr std::uint32_t kAddressCandidatesMax = 4096;

struct CertificateRequest {
  Role role = Role::kPeer;
  crypto::IdentityPublic identity;
  crypto::SessionPublic session;
  std::string name;
  std::vector<control::Tag> tags;
  std::uint64_t after_serial = 0;  // the new serial is greater than this
  std::optional<Address> ipv4;     // kept at a renewal; else the issuer picks one
  std::vector<Prefix> reserved;    // it picks none of these: stock peers have them
};

enum class IssueError : std::uint8_t {
  kNameTaken,    // the name is pinned to another Id
  kRangeFull,    // no free address was found
  kNotAllowed,   // this hub's delegation does not cover the role
};

class Issuer {
 public:
  // With the network key: the hub that made the network.
  Issuer(crypto::NetworkSecret network_key, Prefix overlay_v4);
  // With a delegation: a hub that was let in later. `own_chain` must be a single certificate that
  // the network key signed.
  Issuer(crypto::NetworkPublic network, crypto::IdentitySecret hub, control::Certificate own);

  // The chain as bytes. Does not pin; the caller admits the chain as it admits any other.
  Result<ByteVector, IssueError> issue(const CertificateRequest& request, const Trust& trust,
                                       Wall wall) const;
  bool may_issue(Role role) const;
  // Signs a set with the next number that adds this revocation.
  ByteVector revoke(const Trust& trust, const Id& id, std::uint64_t serial) const;

 private:
  std::optional<Address> pick_address(const Id& id, const std::vector<Prefix>& reserved,
                                      const Trust& trust) const;

  crypto::NetworkPublic network_;
  Prefix overlay_v4_;
  std::optional<crypto::NetworkSecret> network_key_;
  std::optional<crypto::IdentitySecret> hub_;
  std::optional<control::Certificate> own_;
};

}  // namespace ginnel::node
