// The host around the node: its interfaces and clock, and what the names of hubs mean.
#include <algorithm>

#include "io/clock.h"
#include "runtime/engine/engine.h"
#include "runtime/identity_store/enrolment.h"

namespace ginnel::runtime {
namespace {

// The wall clock may be set at any time; the core reckons with the last one that it was told.
constexpr Nanoseconds kWallEvery = 30s;
// A shorter sleep costs no path and no mapping; the two clocks are read one after the other.
constexpr Nanoseconds kSleepMin = 1s;

}  // namespace

std::vector<HubSource> Engine::hub_sources() const {
  return runtime::hub_sources(config(), prepared_.identity.enrolment);
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
  if (addresses_handler_) addresses_handler_(own.addresses);
  node_->set_interfaces(io::now(), std::move(own.subnets), std::move(own.addresses),
                        main_->local().port);
  if (const auto hub = node_->hub_endpoint()) {
    if (const auto mtu = outgoing_mtu(network, hub->address)) node_->set_interface_mtu(*mtu);
  }
}

// Boot time goes on while the machine sleeps, so a timer that was due meanwhile wakes the loop at
// once. NAT mappings are gone by then, addresses and hubs may be others, and the clock was set.
void Engine::notice_sleep() {
  const Nanoseconds slept = io::slept();
  const Nanoseconds more = slept - std::exchange(slept_, slept);
  if (more < kSleepMin) return;
  tell_wall();
  node_->resumed(io::now());
  if (network_) network_->look_soon();
  if (hub_names_) hub_names_->look_now();
  if (resumed_handler_) resumed_handler_(more);
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
