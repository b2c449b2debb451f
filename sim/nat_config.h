// How a NAT box behaves, in the words of RFC 4787, and the named kinds that the tests use
// everywhere: one name means one behaviour, here and among the kernel NATs of tests/netns.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/instant.h"

namespace ginnel::sim {

// RFC 4787 section 4.1: when does a packet from the same inside endpoint get the same port?
enum class Mapping : std::uint8_t {
  kNone,                    // no translation: a firewall or a router
  kEndpointIndependent,     // always
  kAddressDependent,        // toward the same remote address
  kAddressAndPortDependent  // toward the same remote address and port
};

// RFC 4787 section 5: whose packets come in on a mapping?
enum class Filtering : std::uint8_t {
  kEndpointIndependent,     // anybody's
  kAddressDependent,        // of remote addresses sent to before
  kAddressAndPortDependent  // of remote endpoints sent to before
};

// RFC 4787 section 4.2.1: which outside port a new mapping gets.
enum class PortAllocation : std::uint8_t { kPreserve, kRandom, kSequential };

// What a preserving box does when another inside host holds the port.
enum class PortConflict : std::uint8_t {
  kAnotherPort,  // a free one, at random
  kPerRemote,    // Linux: shares it among remotes, another one only for the same remote
  kTakeOver,     // "port overloading": the newcomer gets it, the other mapping is lost
  kRefuse,       // the packet is dropped
};

// What becomes of a packet that came to the box's own address and belongs to no mapping.
enum class Unsolicited : std::uint8_t {
  kDrop,
  // Linux with an INPUT chain that accepts: the box takes the packet as its own, and its
  // connection entry holds (outside port, remote) until it times out. An inside host that then
  // sends to this remote from this port leaves from another one. Each
  // further packet from outside prolongs it.
  kAccept,
};

struct NatConfig {
  Mapping mapping = Mapping::kEndpointIndependent;
  Filtering filtering = Filtering::kAddressAndPortDependent;
  PortAllocation allocation = PortAllocation::kPreserve;
  PortConflict conflict = PortConflict::kAnotherPort;
  Unsolicited unsolicited = Unsolicited::kDrop;
  Nanoseconds timeout = 120s;      // idle, since the last packet that refreshes
  Nanoseconds stream_timeout{0};   // the same, once something came in; 0: as `timeout`
  Nanoseconds lifetime{0};         // a mapping dies at this age whatever flows; 0: never
  bool inbound_refreshes = false;  // RFC 4787 REQ-6: outbound always does
  bool hairpin = false;            // RFC 4787 section 6
  bool blocks_udp = false;
  // IPv6 is never translated, only filtered.
  Filtering v6_filtering = Filtering::kAddressAndPortDependent;
};

enum class NatKind : std::uint8_t {
  kOpen,            // no box at all
  kFirewall,        // public address behind a stateful firewall
  kFullcone,        // EIM, EIF
  kRestricted,      // EIM, ADF
  kPortrestricted,  // Linux masquerade: EIM as long as no port clashes, APDF
  kLinuxclash,      // the same with an INPUT chain that accepts
  kSymmetric,       // APDM with random ports, APDF
  kSymseq,          // APDM with ports in sequence, APDF
  kCgnat,           // portrestricted behind portrestricted
  kCgnatsym,        // portrestricted behind symmetric
  kUdpblocked,      // no UDP at all
  kSamelan,         // portrestricted, for two machines behind it
  kSamelanhp,       // the same with EIM, EIF and hairpin
  kCgnatpair,       // two homes (portrestricted) behind one carrier NAT without hairpin
  kCount,
};

std::string_view nat_name(NatKind kind);
std::optional<NatKind> nat_kind(std::string_view name);

// The box next to the machines, and the carrier's box behind it.
NatConfig home_box(NatKind kind);
std::optional<NatConfig> carrier_box(NatKind kind);

}  // namespace ginnel::sim
