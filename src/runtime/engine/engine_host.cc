// The host around the node: its interfaces and clock, and what the names of hubs mean.
#include <algorithm>

#include "io/clock.h"
#include "runtime/engine/engine.h"
#include "runtime/identity_store/enrolment.h"

namespace ginnel::runtime {
namespace {

// The wall clock may be set at any time; the core reckons with the last one that it was told.
constexpr Nanoseconds kWallEvery = 30s;

std::string host_port(const config::HubName& hub) {
  const bool v6 = hub.host.find(':') != std::string::npos;
  return (v6 ? "[" + hub.host + "]" : hub.host) + ":" + std::to_string(hub.port);
}

}  // namespace

// Where `network.hubs` names any, it is the whole list; else those of the join.
std::vector<Engine::HubSource> Engine::hub_sources() const {
  std::vector<HubSource> out;
  for (const config::HubName& hub : config().network.hubs) {
    out.push_back({hub.key, {host_port(hub)}});
  }
  if (!out.empty()) return out;
  for (const control::HubEntry& hub : prepared_.identity.enrolment.hubs) {
    out.push_back({hub.session, hub.endpoints});
  }
  return out;
}

// Literal addresses are known at once; what names mean comes later (watch_hub_names).
std::vector<node::HubAddress> Engine::hub_addresses() const {
  std::vector<node::HubAddress> out;
  for (const HubSource& hub : hub_sources()) {
    node::HubAddress& entry = out.emplace_back();
    entry.key = hub.key;
    for (const std::string& text : hub.texts) {
      if (entry.text.empty()) entry.text = text;
      if (const auto literal = Endpoint::parse(text)) entry.endpoints.push_back(*literal);
    }
  }
  return out;
}

// Without news of the network (a sandbox may forbid them) the node goes on with what hubs see.
void Engine::watch_host() {
  watch_hub_names();
  wall_alarm_ = loop_->add_alarm([this] { tell_wall(); });
  tell_wall();
  auto watch = NetworkWatch::start(*loop_, [this](const HostNetwork& now) { tell_network(now); });
  if (watch) network_ = *std::move(watch);
}

void Engine::watch_hub_names() {
  std::vector<std::vector<std::string>> texts;
  for (HubSource& hub : hub_sources()) texts.push_back(std::move(hub.texts));
  hub_names_.emplace(*loop_, std::move(texts), resolver_,
                     [this](std::size_t hub, std::vector<Endpoint> endpoints) {
                       node_->set_hub_endpoints(io::now(), hub, std::move(endpoints));
                     });
}

void Engine::tell_network(const HostNetwork& network) {
  OwnAddresses own = addresses_of(network, node_->self().addresses);
  node_->set_interfaces(io::now(), std::move(own.subnets), std::move(own.addresses),
                        main_->local().port);
  if (const auto hub = node_->hub_endpoint()) {
    if (const auto mtu = outgoing_mtu(network, hub->address)) node_->set_interface_mtu(*mtu);
  }
}

// Another hub may be reached through another interface; one that is down may have moved.
void Engine::hubs_changed() {
  if (network_) network_->look_soon();
  if (hub_names_) hub_names_->set_urgent(!node_->has_all_hubs());
}

void Engine::tell_wall() {
  node_->set_wall(io::now(), io::wall());
  loop_->set(wall_alarm_, io::now() + kWallEvery);
}

}  // namespace ginnel::runtime
