// All knobs of a member, and memberlist's three presets.
//
//   Config config = Config::lan();
//   config.name = "a";
//   config.advertise = *Endpoint::parse("10.0.0.1:7946");
#pragma once
#include "base/instant.h"
#include "proto/swim/frame.h"

namespace ginnel::swim {

inline constexpr std::uint16_t kDefaultPort = 7946;

struct Config {
  std::string name;      // unique in the cluster, 1 to kNameBytesMax bytes
  Endpoint advertise;    // where others reach us; its port is what members without ports get
  ByteVector meta;       // at most kMetaBytesMax bytes
  Vsn vsn;
  // Until the first member is met: take its delegate protocol numbers for our own.
  bool adopt_versions = false;
  FrameOptions frame;

  // memberlist's, by its names; the values are LAN's.
  Nanoseconds tcp_timeout = 10s;
  std::size_t indirect_checks = 3;
  std::uint32_t retransmit_mult = 4;
  std::uint32_t suspicion_mult = 4;              // Lifeguard's alpha
  std::uint32_t suspicion_max_timeout_mult = 6;  // Lifeguard's beta; 1: no shrinking timers
  Nanoseconds push_pull_interval = 30s;          // 0: never
  Nanoseconds probe_timeout = 500ms;
  Nanoseconds probe_interval = 1s;
  bool disable_tcp_pings = false;
  std::uint32_t awareness_max_multiplier = 8;  // 1: no local health
  std::size_t gossip_nodes = 3;
  Nanoseconds gossip_interval = 200ms;
  Nanoseconds gossip_to_the_dead_time = 30s;
  std::size_t udp_buffer_bytes = 1400;
  Nanoseconds dead_node_reclaim_time = 30s;  // memberlist: 0, never. A dead name's new address
  std::vector<Prefix> cidrs_allowed;         // empty: all
  bool require_node_names = false;           // refuse pings that name nobody

  // Ours.
  Nanoseconds reconnect_interval = 15s;  // between attempts to reach a dead member; 0: never
  Nanoseconds reconnect_wait_max = 60s;  // for one member, doubling from reconnect_interval
  Nanoseconds dead_kept_time = 24h;      // then a dead or left name is forgotten
  std::size_t members_max = 100'000;     // newcomers beyond it are not taken
  bool buddy_system = true;              // tell a suspect first (Lifeguard section IV-C)
  bool scale_probe_timeout = false;      // as Lifeguard's paper has it; memberlist does not
  bool early_nack = false;               // as the paper: a nack at 80 % of the probe timeout
  bool ask_alive = false;                // AskAlive for each alive about others; see events.h
  bool ask_merge = false;                // AskMerge for each join

  static Config lan() { return {}; }
  static Config wan();
  static Config local();
};

}  // namespace ginnel::swim
