#include "sim/nat_config.h"

#include <algorithm>

namespace ginnel::sim {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(NatKind::kCount)> kNames = {
    "open",   "firewall", "fullcone", "restricted", "portrestricted", "linuxclash", "symmetric",
    "symseq", "cgnat",    "cgnatsym", "udpblocked", "samelan",        "samelanhp",  "cgnatpair"};

// Linux nf_conntrack: an entry per (inside, remote), 30 s until an answer came and 120 s after.
NatConfig linux_masquerade() {
  return {.mapping = Mapping::kAddressAndPortDependent,
          .filtering = Filtering::kAddressAndPortDependent,
          .allocation = PortAllocation::kPreserve,
          .conflict = PortConflict::kPerRemote,
          .timeout = 30s,
          .stream_timeout = 120s,
          .inbound_refreshes = true};
}

NatConfig with(NatConfig config, PortAllocation allocation) {
  config.allocation = allocation;
  config.conflict = PortConflict::kAnotherPort;
  return config;
}

}  // namespace

std::string_view nat_name(NatKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<NatKind> nat_kind(std::string_view name) {
  const auto it = std::ranges::find(kNames, name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<NatKind>(it - kNames.begin());
}

NatConfig home_box(NatKind kind) {
  NatConfig config = linux_masquerade();
  switch (kind) {
    case NatKind::kOpen:
      return {.mapping = Mapping::kNone,
              .filtering = Filtering::kEndpointIndependent,
              .v6_filtering = Filtering::kEndpointIndependent};
    case NatKind::kFirewall:
      config.mapping = Mapping::kNone;
      break;
    case NatKind::kFullcone:
      return {.filtering = Filtering::kEndpointIndependent};
    case NatKind::kRestricted:
      return {.filtering = Filtering::kAddressDependent};
    case NatKind::kSamelanhp:
      return {.filtering = Filtering::kEndpointIndependent, .hairpin = true};
    case NatKind::kLinuxclash:
      config.unsolicited = Unsolicited::kAccept;
      break;
    case NatKind::kSymmetric:
      return with(config, PortAllocation::kRandom);
    case NatKind::kSymseq:
      return with(config, PortAllocation::kSequential);
    case NatKind::kUdpblocked:
      config.blocks_udp = true;
      break;
    case NatKind::kPortrestricted:
    case NatKind::kCgnat:
    case NatKind::kCgnatsym:
    case NatKind::kSamelan:
    case NatKind::kCgnatpair:
    case NatKind::kCount:
      break;
  }
  return config;
}

std::optional<NatConfig> carrier_box(NatKind kind) {
  switch (kind) {
    case NatKind::kCgnat:
    case NatKind::kCgnatpair:
      return linux_masquerade();
    case NatKind::kCgnatsym:
      return with(linux_masquerade(), PortAllocation::kRandom);
    default:
      return std::nullopt;
  }
}

}  // namespace ginnel::sim
