// What a verified certificate says of a node: the part of a peer that does not change while it
// moves from network to network.
#pragma once
#include <ginnel/id.h>

#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "crypto/keys.h"

namespace ginnel::node {

struct PeerRecord {
  Id id;
  std::string name;
  crypto::IdentityPublic identity_key;
  crypto::SessionPublic session_key;
  std::vector<Address> addresses;  // overlay addresses, IPv4 first
  std::vector<std::pair<std::string, std::string>> tags;
  std::uint64_t serial = 0;
  Wall not_after;
  ByteVector chain;  // the certificate chain that says all this, as it was received

  friend bool operator==(const PeerRecord&, const PeerRecord&) = default;
};

}  // namespace ginnel::node
