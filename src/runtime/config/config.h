// What ginnel.toml says, as typed values. A value that depends on the host or the network is an
// empty optional: whoever uses it decides then ("auto").
//
// Values only; load.h makes one from a file, schema.cc says which key sets which field.
#pragma once
#include <ginnel/id.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "crypto/keys.h"

namespace ginnel::config {

// "[KEY@]HOST:PORT": the runtime resolves HOST, again and again.
struct HubName {
  std::optional<crypto::SessionPublic> key;  // nullopt: ask the address for its certificate
  std::string host;                          // a name or an address, without brackets
  std::uint16_t port = 0;
};

struct WireguardPeer {
  std::string name;
  crypto::SessionPublic public_key;
  std::optional<HubName> endpoint;  // its key is never set
  std::vector<Prefix> allowed_ips;
  std::string psk_file;                 // empty: none; relative to the folder of the file
  std::uint16_t keepalive_seconds = 0;  // 0: off
};

enum class Connect : std::uint8_t { kOnDemand, kEager };
enum class WhenHubsLost : std::uint8_t { kContinue, kStop };
enum class TunEnable : std::uint8_t { kAuto, kYes, kNo };
enum class GossipPreset : std::uint8_t { kLan, kWan, kLocal };  // memberlist's sets of times
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kAuto, kJournald, kText, kJson };

struct Config {
  struct Node {
    std::string name;                // empty: the host name
    std::optional<Endpoint> listen;  // nullopt: 7700 for a hub, else a port kept in state/
  } node;
  struct Network {
    std::vector<HubName> hubs;
    std::optional<Prefix> cidr;            // nullopt: what the network says, else 10.66.0.0/16
    std::optional<Nanoseconds> heartbeat;  // nullopt: 2 s to hubs, by use to peers
    Nanoseconds resolve_timeout = 10s;
    Nanoseconds retain = 30s;
    std::string secret_file;                // empty: a network by token; relative as psk_file
    std::optional<std::vector<Id>> allow;   // nullopt: everybody whose certificate holds
    Connect connect = Connect::kOnDemand;
    WhenHubsLost when_hubs_lost = WhenHubsLost::kContinue;
  } network;
  struct Tun {
    TunEnable enable = TunEnable::kAuto;
    std::optional<std::uint16_t> mtu;  // bytes
  } tun;
  struct Dns {
    bool names = true;
  } dns;
  struct Punch {
    bool enable = true;
    std::uint32_t probes_per_second = 500;
  } punch;
  struct Gossip {
    GossipPreset preset = GossipPreset::kWan;
  } gossip;
  struct Hub {
    std::optional<Endpoint> public_endpoint;
    std::optional<std::uint16_t> probe_port;  // nullopt: port + 1
  };
  std::optional<Hub> hub;  // presence makes this node a hub
  struct Log {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kAuto;
  } log;
  std::vector<WireguardPeer> wireguard_peers;
};

// The network's overlay range where neither file nor network says one.
inline constexpr std::string_view kDefaultCidr = "10.66.0.0/16";
inline constexpr std::uint16_t kDefaultHubPort = 7700;

}  // namespace ginnel::config
