#include "runtime/daemon/documents.h"

#include <ctime>
#include <nlohmann/json.hpp>

namespace ginnel::runtime {
namespace {

using nlohmann::json;

json seconds_or_null(const std::optional<std::chrono::nanoseconds>& span) {
  return span ? json(std::chrono::duration<double>(*span).count()) : json();
}

// Of a hub whose certificate another network key signed.
json wrong_network(const std::string& hub, bool by_secret) {
  const std::string text = "hub " + hub + " belongs to another network";
  return {{"code", "E_WRONG_NETWORK"},
          {"severity", "error"},
          {"text", by_secret ? text + ": its shared secret is not ours" : text},
          {"fix", by_secret ? "give both the same secret: compare the files of network.secret_file"
                            : "correct network.hubs in ginnel.toml, or join that network with a "
                              "token of its own"}};
}

json health_of(const node::StatusSnapshot& status, const DaemonFacts& facts) {
  json out = json::array();
  for (const node::HubStatus& hub : status.hubs) {
    if (hub.state == PeerState::kOnline) continue;
    const std::string who = hub.name.empty() ? hub.endpoint : hub.name;
    if (hub.wrong_network) {
      out.push_back(wrong_network(who, status.by_secret));
      continue;
    }
    out.push_back({{"code", "E_HUB_UNREACHABLE"},
                   {"severity", "warning"},
                   {"text", "hub " + who + " does not answer"},
                   {"fix", "check that it is up and that UDP reaches " + hub.endpoint}});
  }
  if (!facts.tun && !facts.tun_reason.empty()) {
    out.push_back({{"code", "E_NO_TUN"},
                   {"severity", "warning"},
                   {"text", "no TUN device, messages only: " + facts.tun_reason},
                   {"fix", "run as root, or give the program CAP_NET_ADMIN"}});
  }
  for (const node::Notice& notice : facts.warnings) {
    if (notice.code == "E_WRONG_NETWORK") continue;  // the hub's own line says it, while it holds
    const bool error = notice.level == node::Notice::Level::kError;
    out.push_back({{"code", notice.code},
                   {"severity", error ? "error" : "warning"},
                   {"text", notice.text},
                   {"fix", "ginnel help " + notice.code}});
  }
  return out;
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - whole).count();
  const std::time_t seconds = whole.count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + n, sizeof text - n, ".%03dZ", static_cast<int>(millis));
  return text;
}

json text_or_null(const std::string& text) { return text.empty() ? json() : json(text); }

json path_json(const PathInfo& path) {
  return {{"kind", path_kind_name(path.kind)},
          {"via", text_or_null(path.via)},
          {"endpoint", text_or_null(path.endpoint)},
          {"reason", text_or_null(path.reason)},
          {"mtu", path.mtu == 0 ? json() : json(path.mtu)}};
}

json peer_json(const PeerInfo& peer, const TrafficRate& rate) {
  return {{"id", peer.id.is_nil() ? json() : json(peer.id.text())},
          {"name", peer.name},
          {"addresses", peer.addresses},
          {"state", peer_state_name(peer.state)},
          {"path", path_json(peer.path)},
          {"rtt", seconds_or_null(peer.path.rtt)},
          {"loss", peer.path.loss ? json(*peer.path.loss) : json()},
          {"repair", {{"mode", "off"}, {"overhead", 0.0}}},
          {"rx_bytes", peer.rx_bytes},
          {"tx_bytes", peer.tx_bytes},
          {"rx_rate", rate.rx},
          {"tx_rate", rate.tx},
          {"losses",
           {{"messages_not_sent", peer.losses.messages_not_sent},
            {"messages_unknown", peer.losses.messages_unknown},
            {"lane_packets", peer.losses.lane_packets},
            {"ip_packets", peer.losses.ip_packets},
            {"frames", peer.losses.frames}}},
          {"last_seen", peer.last_seen ? json(rfc3339(*peer.last_seen)) : json()}};
}

json hub_json(const node::HubStatus& hub) {
  return {{"id", hub.id.is_nil() ? json() : json(hub.id.text())},
          {"name", text_or_null(hub.name)},
          {"state", peer_state_name(hub.state)},
          {"rtt", seconds_or_null(hub.rtt)},
          {"endpoint", text_or_null(hub.endpoint)},
          {"role", nullptr}};
}

json status_json(const node::StatusSnapshot& status, const DaemonFacts& facts) {
  json hubs = json::array();
  for (const auto& hub : status.hubs) hubs.push_back(hub_json(hub));
  json peers = json::array();
  for (const auto& peer : status.peers) peers.push_back(peer_json(peer, facts.rates->of(peer)));
  return {{"v", 1},
          {"network", status.network},
          {"self",
           {{"id", status.id.text()},
            {"name", status.name},
            {"addresses", status.addresses},
            {"listen", json::array({"udp://" + facts.listen})},
            {"nat",
             {{"mapping", stun::mapping_name(status.nat.mapping)},
              {"filtering", stun::filtering_name(status.nat.filtering)}}},
            {"version", facts.version},
            {"uptime", facts.uptime_seconds},
            {"mtu", facts.tun ? json(facts.mtu) : json()},
            {"role", facts.hub ? "hub" : "peer"},
            {"udp", status.udp_blocked ? "blocked" : "ok"}}},
          {"hubs", std::move(hubs)},
          {"master", nullptr},
          {"peers", std::move(peers)},
          {"health", health_of(status, facts)}};
}

}  // namespace ginnel::runtime
