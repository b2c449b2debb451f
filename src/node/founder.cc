#include "node/founder.h"

namespace ginnel::node {

OwnIdentity make_identity(Role role, const crypto::NetworkPublic& network, Rng& rng) {
  OwnIdentity out;
  out.role = role;
  out.identity = crypto::IdentitySecret::generate(rng);
  out.session = crypto::SessionSecret::generate(rng);
  out.network = network;
  return out;
}

Result<OwnIdentity, IssueError> found_network(const FounderOptions& options, Rng& rng, Wall wall) {
  auto network_key = crypto::NetworkSecret::generate(rng);
  OwnIdentity out = make_identity(Role::kHub, crypto::public_of(network_key), rng);
  const Issuer issuer(network_key.clone(), options.overlay_v4);
  auto chain = issuer.issue({.role = Role::kHub,
                             .identity = crypto::public_of(out.identity),
                             .session = crypto::public_of(out.session),
                             .name = options.name},
                            Trust(out.network), wall);
  if (!chain) return Fail(chain.error());
  out.chain = *std::move(chain);
  out.network_key = std::move(network_key);
  return out;
}

}  // namespace ginnel::node
