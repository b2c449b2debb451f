#include "io/netlink.h"

#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>

#include "base/assert.h"
#include "io/netlink_message.h"
#include "io/network_parse.h"
#include "io/system_error.h"

namespace ginnel::io {
namespace {

// A dump that the tables changed under is asked for again, this often (NLM_F_DUMP_INTR); the last
// one is taken as it is, since the change itself arrives at the monitor.
constexpr int kDumpTries = 4;

sa_family_t family_of(const Address& address) { return address.is_v4() ? AF_INET : AF_INET6; }

std::uint8_t wire_length(const Address& address, std::uint8_t length) {
  return static_cast<std::uint8_t>(address.is_v4() ? length - 96 : length);
}

NetlinkRequest address_request(std::uint16_t type, std::uint16_t flags,
                               const InterfaceAddress& address) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(family_of(address.address));
  header.ifa_prefixlen = wire_length(address.address, address.length);
  header.ifa_index = address.index.value();
  NetlinkRequest request(type, flags, header);
  request.attribute(IFA_LOCAL, address.address.wire());
  request.attribute(IFA_ADDRESS, address.address.wire());
  request.attribute_u32(IFA_FLAGS, IFA_F_NODAD);
  return request;
}

NetlinkRequest route_request(std::uint16_t type, std::uint16_t flags, const Route& route) {
  GINNEL_ASSERT(route.unicast);
  const Address& target = route.target.address;
  const bool on_link = route.gateway.is_unspecified();
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(family_of(target));
  header.rtm_dst_len = wire_length(target, route.target.length);
  header.rtm_table = RT_TABLE_UNSPEC;  // RTA_TABLE holds what does not fit here
  header.rtm_type = RTN_UNICAST;
  // On removal "nowhere" matches any scope.
  const unsigned char scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_scope = type == RTM_DELROUTE ? static_cast<unsigned char>(RT_SCOPE_NOWHERE) : scope;
  header.rtm_protocol = type == RTM_DELROUTE ? RTPROT_UNSPEC : RTPROT_STATIC;
  NetlinkRequest request(type, flags, header);
  request.attribute_u32(RTA_TABLE, route.table);
  request.attribute(RTA_DST, target.wire());
  request.attribute_u32(RTA_OIF, route.index.value());
  if (!on_link) request.attribute(RTA_GATEWAY, route.gateway.wire());
  if (!route.source.is_unspecified()) request.attribute(RTA_PREFSRC, route.source.wire());
  if (route.metric != 0) request.attribute_u32(RTA_PRIORITY, route.metric);
  return request;
}

Error netlink_error(int number, const std::string& what) {
  Error error = system_error(number, Errc::kInternal, what);
  if (error.code == Errc::kPermission) error.hint = "this needs root or CAP_NET_ADMIN";
  return error;
}

}  // namespace

bool has_ipv6(const std::string& interface) {
  std::ifstream in("/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6");
  int disabled = 1;
  return in >> disabled && disabled == 0;
}

struct Netlink::Reply {
  int number = 0;            // errno; 0: done
  bool interrupted = false;  // the tables changed during the dump
};

Result<std::unique_ptr<Netlink>, Error> Netlink::open() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return Fail(netlink_error(errno, "open a netlink socket"));
  return std::unique_ptr<Netlink>(new Netlink(std::move(fd)));
}

// Sends the request and reads until its acknowledgement, error or end of dump.
template <class Visit>
Netlink::Reply Netlink::exchange(NetlinkRequest& request, Visit&& visit) {
  const std::uint32_t sequence = ++sequence_;
  const ConstBytes bytes = request.finish(sequence);
  if (::send(fd_.get(), bytes.data(), bytes.size(), 0) < 0) return {errno};
  Reply reply;
  for (bool done = false; !done;) {
    const ssize_t got = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {got < 0 ? errno : EIO};
    for_each_message(std::span(buffer_).first(static_cast<std::size_t>(got)),
                     [&](const nlmsghdr& header, ConstBytes payload) {
      if (header.nlmsg_seq != sequence) return;  // the rest of an exchange that failed half-way
      reply.interrupted = reply.interrupted || (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header.nlmsg_type == NLMSG_ERROR) {
        const auto error = front_as<nlmsgerr>(payload);
        reply.number = error ? -error->error : EBADMSG;
      }
      done = done || header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE;
      if (!done) visit(header.nlmsg_type, payload);
    });
  }
  return reply;
}

Result<void, Error> Netlink::change(NetlinkRequest& request, const std::string& what,
                                    int harmless) {
  const Reply reply = exchange(request, [](std::uint16_t, ConstBytes) {});
  if (reply.number == 0 || reply.number == harmless) return {};
  return Fail(netlink_error(reply.number, what));
}

template <class Value, class Parse>
Result<std::vector<Value>, Error> Netlink::dump(NetlinkRequest& request, const std::string& what,
                                                Parse&& parse) {
  std::vector<Value> out;
  for (int i = 0; i < kDumpTries; ++i) {
    out.clear();
    const Reply reply = exchange(request, [&](std::uint16_t, ConstBytes payload) {
      if (auto value = parse(payload)) out.push_back(*std::move(value));
    });
    if (reply.number != 0) return Fail(netlink_error(reply.number, what));
    if (!reply.interrupted) break;
  }
  return out;
}

Result<std::vector<Interface>, Error> Netlink::interfaces() {
  NetlinkRequest request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  return dump<Interface>(request, "list interfaces", parse_interface);
}

Result<std::vector<InterfaceAddress>, Error> Netlink::addresses() {
  NetlinkRequest request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  return dump<InterfaceAddress>(request, "list addresses", parse_interface_address);
}

Result<std::vector<Route>, Error> Netlink::routes() {
  NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP, rtmsg{});
  return dump<Route>(request, "list routes", [](ConstBytes payload) {
    auto route = parse_route(payload);
    if (route && route->table == RT_TABLE_LOCAL) route.reset();
    return route;
  });
}

Result<void, Error> Netlink::set_link(InterfaceIndex index, const LinkChange& change_to) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index.value());
  if (change_to.up) {
    header.ifi_change = IFF_UP;
    header.ifi_flags = *change_to.up ? IFF_UP : 0;
  }
  NetlinkRequest request(RTM_NEWLINK, NLM_F_ACK, header);
  if (change_to.mtu_bytes) request.attribute_u32(IFLA_MTU, *change_to.mtu_bytes);
  return change(request, "change interface " + std::to_string(index.value()));
}

Result<void, Error> Netlink::disable_link_local(InterfaceIndex index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index.value());
  NetlinkRequest request(RTM_NEWLINK, NLM_F_ACK, header);
  request.begin_nest(IFLA_AF_SPEC).begin_nest(AF_INET6);
  request.attribute_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  request.end_nest().end_nest();
  return change(request, "change interface " + std::to_string(index.value()), EAFNOSUPPORT);
}

Result<void, Error> Netlink::add_address(const InterfaceAddress& address) {
  NetlinkRequest request =
      address_request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, address);
  return change(request, "add address " + address.address.text(), EEXIST);
}

Result<void, Error> Netlink::remove_address(const InterfaceAddress& address) {
  NetlinkRequest request = address_request(RTM_DELADDR, NLM_F_ACK, address);
  return change(request, "remove address " + address.address.text(), EADDRNOTAVAIL);
}

Result<void, Error> Netlink::add_route(const Route& route) {
  NetlinkRequest request =
      route_request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, route);
  return change(request, "add route " + route.target.text());
}

Result<void, Error> Netlink::remove_route(const Route& route) {
  NetlinkRequest request = route_request(RTM_DELROUTE, NLM_F_ACK, route);
  return change(request, "remove route " + route.target.text(), ESRCH);
}

}  // namespace ginnel::io
