#include "runtime/engine/host_network.h"

#include <algorithm>
#include <tuple>

#include "io/netlink.h"

namespace ginnel::runtime {
namespace {

constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN

}  // namespace

Result<HostNetwork, Error> read_host_network() {
  auto netlink = io::Netlink::open();
  if (!netlink) return Fail(netlink.error());
  auto interfaces = (*netlink)->interfaces();
  if (!interfaces) return Fail(interfaces.error());
  auto addresses = (*netlink)->addresses();
  if (!addresses) return Fail(addresses.error());
  auto routes = (*netlink)->routes();
  if (!routes) return Fail(routes.error());
  return HostNetwork{*std::move(interfaces), *std::move(addresses), *std::move(routes)};
}

OwnAddresses addresses_of(const HostNetwork& network, const std::vector<Address>& overlay) {
  OwnAddresses out;
  for (const io::InterfaceAddress& entry : network.addresses) {
    const bool ours = std::ranges::count(overlay, entry.address) > 0;
    if (ours || !entry.usable || entry.address.is_loopback() || entry.address.is_link_local()) {
      continue;
    }
    out.subnets.push_back(Prefix::make(entry.address, entry.length));
    out.addresses.push_back(entry.address);
  }
  return out;
}

std::optional<std::uint32_t> outgoing_mtu(const HostNetwork& network, const Address& destination) {
  const io::Route* best = nullptr;
  for (const io::Route& route : network.routes) {
    const bool same_family = route.target.address.is_v4() == destination.is_v4();
    const bool matches = route.table == kMainTable && route.unicast && same_family &&
                         route.target.contains(destination);
    if (!matches) continue;
    const auto rank = [](const io::Route& r) {
      return std::tuple(-static_cast<int>(r.target.length), r.metric);
    };
    if (!best || rank(route) < rank(*best)) best = &route;
  }
  if (!best) return std::nullopt;
  const auto out = std::ranges::find(network.interfaces, best->index, &io::Interface::index);
  return out == network.interfaces.end() ? std::nullopt : std::optional(out->mtu_bytes);
}

}  // namespace ginnel::runtime
