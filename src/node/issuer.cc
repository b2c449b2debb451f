#include "node/issuer.h"

#include <algorithm>

#include "crypto/sign.h"
#include "proto/control/identity.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

// What a hub that joins later may do: let in peers and revoke, within the network's own range.
control::Delegation hub_delegation(const Prefix& range) {
  return {.powers = control::Delegation::kCertifyPeers | control::Delegation::kRevoke,
          .range = range,
          .lifetime_seconds = static_cast<std::uint32_t>(kCertificateLifetime.count())};
}

std::uint64_t seconds_of(Wall wall) { return static_cast<std::uint64_t>(wall.ns / 1'000'000'000); }

}  // namespace

Issuer::Issuer(crypto::NetworkSecret network_key, Prefix overlay_v4)
    : network_(crypto::public_of(network_key)),
      overlay_v4_(overlay_v4),
      network_key_(std::move(network_key)) {}

Issuer::Issuer(crypto::NetworkPublic network, crypto::IdentitySecret hub, control::Certificate own)
    : network_(network), hub_(std::move(hub)), own_(std::move(own)) {
  if (own_->delegation) overlay_v4_ = own_->delegation->range;
}

bool Issuer::may_issue(Role role) const {
  return network_key_ || (own_->delegation && own_->delegation->may_certify(role));
}

std::optional<Address> Issuer::pick_address(const Id& id, const std::vector<Prefix>& reserved,
                                            const Trust& trust) const {
  for (std::uint32_t n = 0; n < kAddressCandidatesMax; ++n) {
    const auto candidate = control::overlay_ipv4_candidate(id, overlay_v4_, n);
    if (!candidate) continue;
    const auto holds = [&](const Prefix& prefix) { return prefix.contains(*candidate); };
    if (std::ranges::any_of(reserved, holds)) continue;
    const auto holder = trust.pins().holder_of(*candidate);
    if (!holder || *holder == id) return candidate;
  }
  return std::nullopt;
}

Result<ByteVector, IssueError> Issuer::issue(const CertificateRequest& request, const Trust& trust,
                                             Wall wall) const {
  if (!may_issue(request.role)) return Fail(IssueError::kNotAllowed);
  const Id id = control::derive_id(network_, request.role, request.identity);
  const auto holder = trust.pins().holder_of_name(request.name);
  if (holder && *holder != id) return Fail(IssueError::kNameTaken);
  const auto address = request.ipv4 ? request.ipv4 : pick_address(id, request.reserved, trust);
  if (!address) return Fail(IssueError::kRangeFull);

  control::Chain chain;
  control::Certificate& leaf = chain.leaf;
  leaf.role = request.role;
  leaf.identity = request.identity;
  leaf.session = request.session;
  // The wall clock as serial lets any hub renew what another one issued.
  leaf.serial = std::max(request.after_serial + 1, seconds_of(wall));
  leaf.not_before_seconds = seconds_of(wall);
  leaf.lifetime_seconds = static_cast<std::uint32_t>(kCertificateLifetime.count());
  leaf.name = request.name;
  leaf.ipv4 = address;
  leaf.tags = request.tags;
  std::ranges::sort(leaf.tags);
  if (network_key_) {
    if (request.role == Role::kHub) leaf.delegation = hub_delegation(overlay_v4_);
    control::sign_certificate(leaf, *network_key_);
  } else {
    leaf.lifetime_seconds = std::min(leaf.lifetime_seconds, own_->delegation->lifetime_seconds);
    control::sign_certificate(leaf, network_, *hub_);
    chain.issuer = *own_;
  }
  return control::to_bytes(chain);
}

ByteVector Issuer::revoke(const Trust& trust, const Id& id, std::uint64_t serial) const {
  control::RevocationSet addition;
  addition.entries.push_back({id, serial});
  addition.number = trust.revocations().number;
  control::RevocationSet set = control::united(trust.revocations(), addition);
  set.signer = own_;
  if (network_key_) {
    control::sign_revocations(set, *network_key_);
  } else {
    control::sign_revocations(set, network_, *hub_);
  }
  return control::to_bytes(set);
}

}  // namespace ginnel::node
