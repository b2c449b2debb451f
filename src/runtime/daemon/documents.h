// The daemon's answers as JSON documents (docs/cli.md, "status").
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "node/events.h"
#include "node/snapshot.h"
#include "runtime/daemon/traffic_rates.h"

namespace ginnel::runtime {

struct DaemonFacts {
  std::string version;
  double uptime_seconds = 0;
  std::string listen;      // "ADDR:PORT"
  bool tun = false;
  std::string tun_reason;  // why there is none
  std::size_t mtu = 0;
  bool hub = false;
  std::vector<node::Notice> warnings;  // of late
  const TrafficRates* rates = nullptr;  // the daemon's
};

// "2026-11-24T06:02:32.123Z"
std::string rfc3339(std::chrono::system_clock::time_point time);

// null where there is none.
nlohmann::json text_or_null(const std::string& text);
nlohmann::json path_json(const PathInfo& path);
nlohmann::json peer_json(const PeerInfo& peer, const TrafficRate& rate);
nlohmann::json hub_json(const node::HubStatus& hub);
nlohmann::json status_json(const node::StatusSnapshot& status, const DaemonFacts& facts);

}  // namespace ginnel::runtime
