// Makes a network and its first hub: the keys, and the certificate that the network key signs.
#pragma once
#include "node/issuer.h"
#include "node/own_identity.h"

namespace ginnel::node {

struct FounderOptions {
  std::string name;  // of the hub
  Prefix overlay_v4;
};

// A hub's identity with the network key in it. Errors: those of Issuer::issue.
Result<OwnIdentity, IssueError> found_network(const FounderOptions& options, Rng& rng, Wall wall);

// Two fresh keys; the chain is empty until a hub certifies them.
OwnIdentity make_identity(Role role, const crypto::NetworkPublic& network, Rng& rng);

}  // namespace ginnel::node
