// What this node is: its two keys, its network, and the certificate that binds them.
#pragma once
#include "crypto/dh.h"
#include "crypto/sign.h"
#include "node/peer_record.h"
#include "proto/control/identity.h"

namespace ginnel::node {

struct OwnIdentity {
  Role role = Role::kPeer;
  crypto::IdentitySecret identity;
  crypto::SessionSecret session;
  crypto::NetworkPublic network;
  ByteVector chain;  // empty: not enrolled yet
  // With the hub that made the network, and with everybody in a network by shared secret.
  std::optional<crypto::NetworkSecret> network_key;
  // Set: a network by shared secret. Of every session between its nodes.
  std::optional<crypto::PresharedKey> preshared{};

  bool is_by_secret() const { return preshared.has_value(); }
  Id id() const { return control::derive_id(network, role, crypto::public_of(identity)); }
  OwnIdentity clone() const {
    OwnIdentity out{role, identity.clone(), session.clone(), network, chain, {}, {}};
    if (preshared) out.preshared = preshared->clone();
    if (network_key) out.network_key = network_key->clone();
    return out;
  }
};

}  // namespace ginnel::node
