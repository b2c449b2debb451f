// Who a node is, and the overlay addresses that follow from it (docs/wire/ginnel.md section 5).
//
//   const Id id = derive_id(network, Role::kPeer, identity);
//   overlay_ipv6(network, id);
//   for (std::uint32_t n = 0;; ++n) if (auto a = overlay_ipv4_candidate(id, cidr, n)) ...
#pragma once
#include <ginnel/id.h>

#include <optional>

#include "base/address.h"
#include "crypto/keys.h"

namespace ginnel::control {

Id derive_id(const crypto::NetworkPublic& network, Role role,
             const crypto::IdentityPublic& identity);

Address overlay_ipv6(const crypto::NetworkPublic& network, const Id& id);

// The n-th address that `id` would take in `range` (IPv4). nullopt: this n is skipped, since it is
// the network's or a broadcast address, or one that people take for it (last octet 0 or 255); also
// when the range has no room for a host at all.
std::optional<Address> overlay_ipv4_candidate(const Id& id, const Prefix& range, std::uint32_t n);

}  // namespace ginnel::control
