#include "proto/swim/config.h"

namespace ginnel::swim {

// memberlist config.go, DefaultWANConfig.
Config Config::wan() {
  Config out;
  out.tcp_timeout = 30s;
  out.suspicion_mult = 6;
  out.push_pull_interval = 60s;
  out.probe_timeout = 3s;
  out.probe_interval = 5s;
  out.gossip_nodes = 4;
  out.gossip_interval = 500ms;
  out.gossip_to_the_dead_time = 60s;
  return out;
}

// memberlist config.go, DefaultLocalConfig.
Config Config::local() {
  Config out;
  out.tcp_timeout = 1s;
  out.indirect_checks = 1;
  out.retransmit_mult = 2;
  out.suspicion_mult = 3;
  out.push_pull_interval = 15s;
  out.probe_timeout = 200ms;
  out.gossip_interval = 100ms;
  out.gossip_to_the_dead_time = 15s;
  return out;
}

}  // namespace ginnel::swim
