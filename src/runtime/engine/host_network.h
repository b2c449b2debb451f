// The host's network as a node core is told of it: which addresses others may reach it at, and how
// large a packet the interface toward a hub takes.
//
//   const auto network = read_host_network();
//   const auto own = addresses_of(*network, node.self().addresses);
//   outgoing_mtu(*network, hub.address);
//
// Values; reading asks the kernel and allocates.
#pragma once
#include <ginnel/error.h>

#include <vector>

#include "io/network_state.h"

namespace ginnel::runtime {

struct HostNetwork {
  std::vector<io::Interface> interfaces;
  std::vector<io::InterfaceAddress> addresses;
  std::vector<io::Route> routes;
};

// Errors: kInternal.
Result<HostNetwork, Error> read_host_network();

struct OwnAddresses {
  std::vector<Prefix> subnets;
  std::vector<Address> addresses;
};
// Without loopback and link-local ones, those that are not usable yet or any more, and the
// overlay's own (`overlay`): a path inside the overlay would carry itself.
OwnAddresses addresses_of(const HostNetwork& network, const std::vector<Address>& overlay);

// Bytes of an IP packet that the interface toward `destination` takes: that of the longest matching
// route of the main table, lowest metric first. nullopt: no route there.
std::optional<std::uint32_t> outgoing_mtu(const HostNetwork& network, const Address& destination);

}  // namespace ginnel::runtime
