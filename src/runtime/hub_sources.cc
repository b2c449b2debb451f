#include "runtime/hub_sources.h"

#include <algorithm>

namespace ginnel::runtime {
namespace {

std::string host_port(const config::HubName& hub) {
  const bool v6 = hub.host.find(':') != std::string::npos;
  return (v6 ? "[" + hub.host + "]" : hub.host) + ":" + std::to_string(hub.port);
}

std::string name_by_key(const std::vector<control::HubEntry>& hubs,
                        const std::optional<crypto::SessionPublic>& key) {
  const auto found = std::ranges::find_if(
      hubs, [&](const control::HubEntry& hub) { return key == hub.session; });
  return found == hubs.end() ? "" : found->name;
}

}  // namespace

std::vector<HubSource> hub_sources(const config::Config& config,
                                   const identity::Enrolment& enrolment) {
  std::vector<HubSource> out;
  for (const config::HubName& hub : config.network.hubs) {
    out.push_back({hub.key, name_by_key(enrolment.hubs, hub.key), {host_port(hub)}});
  }
  if (!out.empty()) return out;
  for (const control::HubEntry& hub : enrolment.hubs) {
    out.push_back({hub.session, hub.name, hub.endpoints});
  }
  return out;
}

}  // namespace ginnel::runtime
