// What doctor looks at on this machine: read once, judged by checks.h.
//
//   const HostFacts facts = read_host_facts();
//
// Values; reading opens files, a TUN device for a moment, and asks the kernel. Allocates.
#pragma once
#include <ginnel/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/host_network.h"

namespace ginnel::host {

struct ReversePathFilter {
  std::string interface;  // "all": what every interface gets at least
  int value = 0;          // 0 off, 1 strict (RFC 3704 section 2.2), 2 loose
};

struct HostFacts {
  bool net_admin = false;                 // CAP_NET_ADMIN is effective
  std::optional<Error> tun_error;         // of making a TUN device; none: it can be made
  std::optional<std::int64_t> rmem_max;   // bytes; nullopt: the kernel does not tell
  std::optional<int> ip_forward;
  std::vector<ReversePathFilter> filters;  // of "all" and of interfaces that are up
  std::string hosts_trouble;              // why /etc/hosts cannot be written; empty: it can
  std::optional<runtime::HostNetwork> network;
};

struct HostReading {
  bool try_tun = true;  // false: a running daemon has one, or none is wanted
};
HostFacts read_host_facts(const HostReading& reading);

inline constexpr const char* kReceiveMaxFile = "/proc/sys/net/core/rmem_max";
inline constexpr const char* kSendMaxFile = "/proc/sys/net/core/wmem_max";
inline constexpr const char* kReversePathFolder = "/proc/sys/net/ipv4/conf/";

}  // namespace ginnel::host
