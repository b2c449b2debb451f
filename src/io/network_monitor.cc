#include "io/network_monitor.h"

#include <sys/socket.h>

#include <cerrno>

#include "io/netlink_message.h"
#include "io/network_parse.h"
#include "io/system_error.h"

namespace ginnel::io {
namespace {

constexpr std::uint32_t kGroups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                  RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

template <class Change, class Parsed>
std::optional<NetworkChange> change_of(const Parsed& state, bool removed) {
  if (!state) return std::nullopt;
  return Change{*state, removed};
}

std::optional<NetworkChange> parse_change(std::uint16_t type, ConstBytes payload) {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return change_of<InterfaceChanged>(parse_interface(payload), type == RTM_DELLINK);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return change_of<AddressChanged>(parse_interface_address(payload), type == RTM_DELADDR);
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const auto route = parse_route(payload);
      if (route && route->table == RT_TABLE_LOCAL) return std::nullopt;  // shadows of addresses
      return change_of<RouteChanged>(route, type == RTM_DELROUTE);
    }
    default: return std::nullopt;
  }
}

}  // namespace

Result<std::unique_ptr<NetworkMonitor>, Error> NetworkMonitor::open() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = kGroups;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return Fail(system_error(errno, Errc::kInternal, "watch the network"));
  }
  return std::unique_ptr<NetworkMonitor>(new NetworkMonitor(std::move(fd)));
}

std::optional<NetworkChange> NetworkMonitor::next() {
  while (changes_.empty()) {
    if (!receive()) return std::nullopt;
  }
  NetworkChange out = std::move(changes_.front());
  changes_.pop_front();
  return out;
}

// False: nothing waits.
bool NetworkMonitor::receive() {
  const ssize_t got = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == ENOBUFS) {  // netlink(7): the socket's buffer ran over
    changes_.emplace_back(NewsLost{});
    return true;
  }
  if (got <= 0) return false;
  for_each_message(std::span(buffer_).first(static_cast<std::size_t>(got)),
                   [&](const nlmsghdr& header, ConstBytes payload) {
    if (auto change = parse_change(header.nlmsg_type, payload)) {
      changes_.push_back(*std::move(change));
    }
  });
  return true;
}

}  // namespace ginnel::io
