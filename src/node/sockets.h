// The two sockets of a node, as its core names them.
#pragma once
#include "base/core.h"

namespace ginnel::node {

// kSocket carries everything: another socket would be another NAT mapping. The second one is a
// hub's second STUN port; a peer asks from it what NATs let in, and nothing else (nat_discovery.h).
inline constexpr PathId kProbeSocket{1};

}  // namespace ginnel::node
