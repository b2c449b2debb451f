#include "runtime/daemon/tun_link.h"

#include <algorithm>
#include <array>

#include "io/netlink.h"

namespace ginnel::runtime {
namespace {

// fd00::/8 and 40 bits of the network (docs/wire/ginnel.md section 5): all its nodes.
constexpr std::uint8_t kOverlayV6Length = 48;

Result<void, Error> refuse_clash(io::Netlink& netlink, const Prefix& range, const std::string& use,
                                 const std::string& hint) {
  const auto interfaces = netlink.interfaces();
  if (!interfaces) return Fail(interfaces.error());
  const auto addresses = netlink.addresses();
  if (!addresses) return Fail(addresses.error());
  const auto routes = netlink.routes();
  if (!routes) return Fail(routes.error());
  const auto clash = io::find_clash(range, *interfaces, *addresses, *routes);
  if (!clash) return {};
  return Fail(Error{Errc::kAddressInUse,
                    "cannot use " + range.text() + " for " + use + ": " + clash->range.text() +
                        " is in use on " + clash->interface,
                    hint});
}

Prefix range_of(const TunLinkOptions& options, const Address& address) {
  return Prefix::make(address, address.is_v4() ? options.overlay_v4.length : kOverlayV6Length);
}

// What the addresses do not bring with them.
std::vector<Prefix> further_routes(const TunLinkOptions& options) {
  std::vector<Prefix> out;
  for (const Prefix& route : options.routes) {
    const bool covered = std::ranges::any_of(options.addresses, [&](const Address& address) {
      const Prefix range = range_of(options, address);
      return range.length <= route.length && range.contains(route.address);
    });
    if (!covered) out.push_back(route);
  }
  return out;
}

Result<void, Error> refuse_clashes(io::Netlink& netlink, const TunLinkOptions& options) {
  auto free = refuse_clash(netlink, options.overlay_v4, "the overlay",
                           "make the network with another --cidr, or free the range");
  for (const Prefix& route : further_routes(options)) {
    if (!free) break;
    free = refuse_clash(netlink, route, "a WireGuard peer",
                        "give that [[wireguard.peer]] other allowed_ips, or free the range");
  }
  return free;
}

io::TunSetup setup_of(const TunLinkOptions& options) {
  io::TunSetup out;
  out.mtu_bytes = options.mtu_bytes;
  for (const Address& address : options.addresses) {
    out.addresses.push_back({.address = address, .length = range_of(options, address).length});
  }
  for (const Prefix& route : further_routes(options)) out.routes.push_back({.target = route});
  return out;
}

}  // namespace

Result<std::unique_ptr<TunLink>, Error> TunLink::open(const TunLinkOptions& options) {
  auto netlink = io::Netlink::open();
  if (!netlink) return Fail(netlink.error());
  if (auto free = refuse_clashes(**netlink, options); !free) return Fail(free.error());
  auto tun = io::Tun::open({});
  if (!tun) return Fail(tun.error());
  if (auto done = (*tun)->configure(**netlink, setup_of(options)); !done) return Fail(done.error());
  return std::unique_ptr<TunLink>(new TunLink(*std::move(tun), options));
}

// The new ones first, so that the range has a route all the time.
Result<void, Error> TunLink::change_addresses(const std::vector<Address>& addresses) {
  auto netlink = io::Netlink::open();
  if (!netlink) return Fail(netlink.error());
  const std::vector<Address> before = std::exchange(options_.addresses, addresses);
  for (const Address& address : addresses) {
    if (std::ranges::count(before, address) > 0) continue;
    const auto added = (*netlink)->add_address(
        {.index = tun_->index(), .address = address, .length = range_of(options_, address).length});
    if (!added) return added;
  }
  for (const Address& address : before) {
    if (std::ranges::count(addresses, address) > 0) continue;
    (void)(*netlink)->remove_address(
        {.index = tun_->index(), .address = address, .length = range_of(options_, address).length});
  }
  return {};
}

void TunLink::write(ConstBytes packet) {
  static constexpr std::array<std::byte, io::kVnetHeaderBytes> kPlain{};  // no offload
  const std::array<ConstBytes, 2> parts{ConstBytes(kPlain), packet};
  (void)tun_->write(parts);
}

}  // namespace ginnel::runtime
