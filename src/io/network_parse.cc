#include "io/network_parse.h"

#include <net/if.h>

#include "io/netlink_message.h"

namespace ginnel::io {
namespace {

constexpr std::uint8_t kV4Offset = 96;  // where an IPv4 address begins in the 128-bit form

std::uint32_t u32_of(ConstBytes value) { return front_as<std::uint32_t>(value).value_or(0); }

bool is_ip(std::uint8_t family) { return family == AF_INET || family == AF_INET6; }

// Prefix length in the 128-bit form; what the kernel says is trusted no further than that.
std::uint8_t length_of(std::uint8_t family, std::uint8_t bits) {
  const unsigned length = (family == AF_INET ? kV4Offset : 0u) + bits;
  return static_cast<std::uint8_t>(std::min(length, 128u));
}

Address any_of(std::uint8_t family) { return family == AF_INET ? Address::v4(0) : Address{}; }

}  // namespace

std::optional<Interface> parse_interface(ConstBytes payload) {
  const auto header = front_as<ifinfomsg>(payload);
  if (!header) return std::nullopt;
  Interface out;
  out.index = InterfaceIndex(static_cast<std::uint32_t>(header->ifi_index));
  out.up = (header->ifi_flags & IFF_UP) != 0;
  out.running = (header->ifi_flags & IFF_RUNNING) != 0;
  out.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  out.point_to_point = (header->ifi_flags & IFF_POINTOPOINT) != 0;
  const std::size_t fixed = netlink_aligned(sizeof *header);
  for_each_attribute(payload.subspan(fixed), [&](unsigned type, ConstBytes value) {
    if (type == IFLA_MTU) out.mtu_bytes = u32_of(value);
    if (type == IFLA_IFNAME) out.name = text_of(value).substr(0, text_of(value).find('\0'));
  });
  return out;
}

std::optional<InterfaceAddress> parse_interface_address(ConstBytes payload) {
  const auto header = front_as<ifaddrmsg>(payload);
  if (!header || !is_ip(header->ifa_family)) return std::nullopt;
  InterfaceAddress out;
  out.index = InterfaceIndex(header->ifa_index);
  out.length = length_of(header->ifa_family, header->ifa_prefixlen);
  std::uint32_t flags = header->ifa_flags;
  bool has_local = false;
  for_each_attribute(payload.subspan(sizeof *header), [&](unsigned type, ConstBytes value) {
    if (type == IFA_FLAGS) flags = u32_of(value);  // the 32-bit form, where both are there
    // On point-to-point links IFA_ADDRESS is the other end, and IFA_LOCAL is ours.
    if (type == IFA_LOCAL || (type == IFA_ADDRESS && !has_local)) {
      out.address = Address::from_wire(value);
      has_local = has_local || type == IFA_LOCAL;
    }
  });
  if (out.address == Address{}) return std::nullopt;
  // For IPv4 the same bit means "secondary", and no address is temporary.
  out.temporary = header->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
  out.usable = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) == 0 ||
               (flags & IFA_F_OPTIMISTIC) != 0;
  return out;
}

std::optional<Route> parse_route(ConstBytes payload) {
  const auto header = front_as<rtmsg>(payload);
  if (!header || !is_ip(header->rtm_family)) return std::nullopt;
  // Copies that the kernel keeps per destination, not routes of the table.
  if ((header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  Route out;
  out.unicast = header->rtm_type == RTN_UNICAST;
  out.table = header->rtm_table;
  Address target = any_of(header->rtm_family);
  for_each_attribute(payload.subspan(sizeof *header), [&](unsigned type, ConstBytes value) {
    if (type == RTA_DST) target = Address::from_wire(value);
    if (type == RTA_OIF) out.index = InterfaceIndex(u32_of(value));
    if (type == RTA_GATEWAY) out.gateway = Address::from_wire(value);
    if (type == RTA_PREFSRC) out.source = Address::from_wire(value);
    if (type == RTA_PRIORITY) out.metric = u32_of(value);
    if (type == RTA_TABLE) out.table = u32_of(value);
  });
  out.target = Prefix::make(target, length_of(header->rtm_family, header->rtm_dst_len));
  return out;
}

}  // namespace ginnel::io
