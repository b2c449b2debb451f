// The neighbours of a node in the order of Ids: who probes whom on a mesh (docs/wire/ginnel.md
// section 15).
//
//   neighbours_of(self, directory.peers(), [](const Peer& peer) { return peer.is_online(); });
//
// Pure. Both sides of a pair find each other as long as both see the same peers.
#pragma once
#include <functional>
#include <map>
#include <set>

#include "node/directory.h"

namespace ginnel::node {

// On each side: after and before.
inline constexpr std::size_t kRingNeighbours = 3;

// Those of `peers` with role peer, other than `self`, that `counts` accepts: the kRingNeighbours
// next after it and as many before it, the last one being followed by the first.
std::set<Id> neighbours_of(const Id& self, const std::map<Id, Peer>& peers,
                           const std::function<bool(const Peer&)>& counts);

}  // namespace ginnel::node
