// What a node core is told when it is made. Values only; where they come from (ginnel.toml, a token,
// the API's Options) is the runtime's business.
#pragma once
#include <ginnel/id.h>

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "crypto/keys.h"
#include "proto/swim/config.h"

namespace ginnel::node {

// Relay indices of a hub; past it no node is registered.
inline constexpr std::size_t kPeersPerHub = 65'536;

// A hub that this node attaches to. The key is learned from the token, from another hub, or by
// asking the address (GINNEL-CERT).
struct HubAddress {
  std::optional<crypto::SessionPublic> key;  // nullopt: ask the endpoints
  std::vector<Endpoint> endpoints;  // as the runtime resolved them; more by set_hub_endpoints
  std::string text{};               // as people know it: "hub.example.net:7700"
};

// A stock WireGuard peer that is let in (`[[wireguard.peer]]`); no Ginnel frame ever goes to it.
struct StockPeer {
  std::string name;
  crypto::SessionPublic key;
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed;
  std::optional<std::array<std::byte, 32>> preshared;  // wiped once the device has it
  std::uint16_t keepalive_seconds = 0;  // 0: off
};

struct HubConfig {
  std::optional<Endpoint> public_endpoint;
  std::uint16_t probe_port = 0;  // second STUN port; 0: none
};

struct Config {
  std::string network_name;
  Prefix overlay_v4;  // [network] cidr
  std::vector<HubAddress> hubs;
  std::vector<StockPeer> stock_peers;
  std::optional<HubConfig> hub;  // presence makes this node a hub
  bool punch = true;
  std::uint32_t probes_per_second = 500;
  Nanoseconds resolve_timeout = 10s;
  // How long a peer may be silent before what it did not take comes back.
  Nanoseconds retain = 30s;
  Nanoseconds hub_heartbeat = 2s;
  // WireGuard's REKEY_AFTER_TIME; tests rekey each second.
  Nanoseconds rekey_after = 120s;
  // Who is let in besides the hubs that are configured; nullopt: everybody whose certificate holds.
  std::optional<std::vector<Id>> allow{};
  bool connect_eagerly = false;    // a session to everybody who is there, before there is traffic
  bool stop_without_hubs = false;  // nothing goes to or comes from peers while every hub is lost
  std::size_t tun_mtu = 1392;  // bytes: no inner packet is larger
  // This node is a member of the network's gossip cluster, with these times; its name and address are
  // set by the node. nullopt: it is none.
  std::optional<swim::Config> gossip;
  // The driver runs forwarding threads: they open and seal data, by Node::forwarding_table().
  bool forwarding_threads = false;
};

}  // namespace ginnel::node
