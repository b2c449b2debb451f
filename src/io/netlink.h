// Asks the kernel about the host's network, and changes it, over rtnetlink: what `ip link`,
// `ip address` and `ip route` do, without running a program.
//
//   auto netlink = Netlink::open();
//   (*netlink)->set_link(tun.index(), {.mtu_bytes = 1392, .up = true});
//   (*netlink)->add_address({.index = tun.index(), .address = mine, .length = 112});
//
// One thread. Each call is one exchange with the kernel, which answers at once; allocates.
// Errors of all calls: kPermission (needs CAP_NET_ADMIN), kInternal (the kernel's own words).
#pragma once
#include <ginnel/error.h>

#include <memory>
#include <vector>

#include "io/fd.h"
#include "io/network_state.h"

namespace ginnel::io {

class NetlinkRequest;

// False: the host has no IPv6, or not on this interface (sysctl disable_ipv6, as Docker sets it).
bool has_ipv6(const std::string& interface);

struct LinkChange {
  std::optional<std::uint32_t> mtu_bytes{};
  std::optional<bool> up{};
};

class Netlink {
 public:
  static Result<std::unique_ptr<Netlink>, Error> open();

  Result<std::vector<Interface>, Error> interfaces();
  Result<std::vector<InterfaceAddress>, Error> addresses();  // both families
  // Both families, all tables but the kernel's local one.
  Result<std::vector<Route>, Error> routes();

  Result<void, Error> set_link(InterfaceIndex index, const LinkChange& change);
  // Keeps the kernel from giving the link an fe80:: address and asking there for routers: nobody
  // would answer on a TUN device. Before the link goes up. No IPv6 here: does nothing.
  Result<void, Error> disable_link_local(InterfaceIndex index);

  // There already: succeeds. IPv6 addresses work at once (no duplicate address detection).
  Result<void, Error> add_address(const InterfaceAddress& address);
  // Not there: succeeds.
  Result<void, Error> remove_address(const InterfaceAddress& address);
  // There already with another interface or gateway: replaced.
  Result<void, Error> add_route(const Route& route);
  // Not there: succeeds.
  Result<void, Error> remove_route(const Route& route);

 private:
  explicit Netlink(Fd fd) : fd_(std::move(fd)), buffer_(kReplyBytes) {}
  // netlink(7): the kernel fills at most 32 KiB per dump message.
  static constexpr std::size_t kReplyBytes = 64 << 10;

  struct Reply;
  Result<void, Error> change(NetlinkRequest& request, const std::string& what, int harmless = 0);
  template <class Value, class Parse>
  Result<std::vector<Value>, Error> dump(NetlinkRequest& request, const std::string& what,
                                         Parse&& parse);
  template <class Visit>
  Reply exchange(NetlinkRequest& request, Visit&& visit);

  Fd fd_;
  ByteVector buffer_;
  std::uint32_t sequence_ = 0;
};

}  // namespace ginnel::io
