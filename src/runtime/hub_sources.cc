#include "runtime/hub_sources.h"

namespace ginnel::runtime {
namespace {

std::string host_port(const config::HubName& hub) {
  const bool v6 = hub.host.find(':') != std::string::npos;
  return (v6 ? "[" + hub.host + "]" : hub.host) + ":" + std::to_string(hub.port);
}

}  // namespace

std::vector<HubSource> hub_sources(const config::Config& config,
                                   const identity::Enrolment& enrolment) {
  std::vector<HubSource> out;
  for (const config::HubName& hub : config.network.hubs) {
    out.push_back({hub.key, "", {host_port(hub)}});
  }
  if (!out.empty()) return out;
  for (const control::HubEntry& hub : enrolment.hubs) {
    out.push_back({hub.session, hub.name, hub.endpoints});
  }
  return out;
}

}  // namespace ginnel::runtime
