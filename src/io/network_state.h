// What this host's network looks like: interfaces, addresses and routes as plain values, and the
// one question asked of them before an overlay range is taken.
//
// Values. Allocates for names and lists.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/strong_int.h"

namespace ginnel::io {

using InterfaceIndex = StrongInt<struct InterfaceIndexTag, std::uint32_t>;  // 0: none

struct Interface {
  InterfaceIndex index{};
  std::string name{};
  std::uint32_t mtu_bytes = 0;
  bool up = false;       // set up by the administrator
  bool running = false;  // has a carrier
  bool loopback = false;
  bool point_to_point = false;  // TUN, PPP
  friend bool operator==(const Interface&, const Interface&) = default;
};

struct InterfaceAddress {
  InterfaceIndex index{};
  Address address{};
  std::uint8_t length = 128;  // of the on-link prefix, in the 128-bit form: an IPv4 /24 is 120
  bool temporary = false;     // RFC 8981: will be replaced
  bool usable = true;         // neither tentative, duplicate (RFC 4862) nor deprecated
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct Route {
  Prefix target{};
  InterfaceIndex index{};  // where it leads; 0 for routes with several next hops
  Address gateway{};     // unspecified: on link
  Address source{};      // preferred source; unspecified: the kernel's choice
  std::uint32_t metric = 0;
  std::uint32_t table = 254;  // RT_TABLE_MAIN
  bool unicast = true;        // false: blackhole, unreachable, local, broadcast, ...
  bool is_default() const;    // also the halves that VPNs use: up to 3 bits long
  friend bool operator==(const Route&, const Route&) = default;
};

// A range that is in use here already.
struct RangeClash {
  Prefix range;  // the one that overlaps
  std::string interface;
};
// The first address or route that overlaps `wanted`, but for those of `except` (our own TUN of the
// run before). Default routes overlap everything and do not count; nor do routes that lead nowhere.
std::optional<RangeClash> find_clash(const Prefix& wanted, std::span<const Interface> interfaces,
                                     std::span<const InterfaceAddress> addresses,
                                     std::span<const Route> routes, InterfaceIndex except = {});

}  // namespace ginnel::io
