#include "sim/network.h"

#include <algorithm>

#include "base/assert.h"
#include "node/founder.h"

namespace ginnel::sim {
namespace {

const Prefix kOverlay = *Prefix::parse("10.66.0.0/16");

}  // namespace

Network::Network(World& world, Programs& programs, double planes)
    : world_(world), programs_(programs), planes_(planes), rng_(world.fork("network")) {}

MachineId Network::add_hub(const std::string& name, Places& places, const Site& site) {
  NodeSetup setup{.name = name, .identity = {}, .token = {}, .config = {}};
  setup.config.hub = node::HubConfig{.public_endpoint = {}, .probe_port = kHubPort + 1};
  if (hubs_.empty()) {
    auto founded = node::found_network({name, kOverlay}, rng_, world_.wall());
    GINNEL_ASSERT(founded);
    setup.identity = *std::move(founded);
    setup.config.network_name = "home";
    setup.config.overlay_v4 = kOverlay;
    network_ = setup.identity.network;
  } else {
    setup.identity = node::make_identity(Role::kHub, network_, rng_);
    setup.token = node(hubs_.front())->invite(world_.now(), {.role = Role::kHub}).value();
    world_.poke(hubs_.front());
  }
  const MachineId id = add(std::move(setup), places, site, {});
  hubs_.push_back(id);
  return id;
}

MachineId Network::add_peer(const std::string& name, Places& places, const Site& site,
                            const Spot& spot) {
  NodeSetup setup{.name = name,
                  .identity = node::make_identity(Role::kPeer, network_, rng_),
                  .token = node(hubs_.front())->invite(world_.now(), {}).value(),
                  .config = {}};
  world_.poke(hubs_.front());
  return add(std::move(setup), places, site, spot);
}

MachineId Network::add(NodeSetup setup, Places& places, const Site& site, const Spot& spot) {
  setup.config.forwarding_threads = rng_.chance(planes_);
  setup.config.gossip = gossip_;
  const std::string name = setup.name;
  const Id node_id = setup.identity.id();
  auto made = std::make_unique<NodeHost>(std::move(setup));
  NodeHost& host = *made;
  const MachineId id = world_.add_machine(name, std::move(made));
  host.on_event([this, id](Instant now, const node::Event& event) { handle(id, now, event); });
  host.on_datagram([this, id](ConstBytes bytes) { programs_.datagram_sent(id, bytes); });
  places.put(id, site, spot);
  nodes_.push_back(id);
  by_id_.emplace(node_id, id);
  world_.start(id);
  return id;
}

void Network::handle(MachineId at, Instant, const node::Event& event) {
  if (const auto* ready = std::get_if<node::MessageReady>(&event)) {
    take_messages(at, *ready);
  } else if (const auto* packet = std::get_if<node::TunPacket>(&event)) {
    programs_.packet(at, packet->bytes);
  } else if (const auto* settled = std::get_if<node::AckSettled>(&event)) {
    programs_.settled(at, *settled);
  } else if (const auto* back = std::get_if<node::Undelivered>(&event)) {
    const auto to = by_id_.find(back->peer);
    if (to != by_id_.end()) programs_.undelivered(at, to->second, back->channel, back->data);
  }
}

void Network::take_messages(MachineId at, const node::MessageReady& ready) {
  node::Node& node = *this->node(at);
  const auto from = by_id_.find(ready.from);
  GINNEL_ASSERT(from != by_id_.end());
  while (const auto message = node.take_message(ready.from, ready.channel)) {
    programs_.message(at, from->second, ready.channel, message->data);
    node.taken(ready.from, message->id);
  }
}

bool Network::send(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes) {
  node::Node* node = this->node(from);
  if (!node) return false;
  const bool done = node->send(world_.now(), host(to).id().text(), channel, bytes).has_value();
  world_.poke(from);
  return done;
}

bool Network::send_acked(MachineId from, MachineId to, std::uint64_t call, std::string_view channel,
                         ConstBytes bytes, Nanoseconds deadline) {
  node::Node* node = this->node(from);
  if (!node) return false;
  node->send_acked(world_.now(), call, {host(to).id().text()}, channel, bytes, deadline);
  world_.poke(from);
  return true;
}

bool Network::send_packet(MachineId from, ConstBytes packet) {
  if (!node(from)) return false;
  host(from).send_packet(world_.now(), packet);
  world_.poke(from);
  return true;
}

std::optional<Address> Network::overlay(MachineId machine, bool v6) {
  const node::Node* node = this->node(machine);
  if (!node) return std::nullopt;
  for (const Address& address : node->self().addresses) {
    if (address.is_v4() != v6) return address;
  }
  return std::nullopt;
}

bool Network::knows(MachineId at, MachineId of) {
  const node::Node* node = this->node(at);
  if (!node) return false;
  const auto info = node->peer_info(world_.now(), host(of).id());
  return info && info->state == PeerState::kOnline;
}

bool Network::all_know_each_other() {
  for (const MachineId at : nodes_) {
    for (const MachineId of : nodes_) {
      if (at != of && !knows(at, of)) return false;
    }
  }
  return true;
}

bool Network::all_are_members() {
  return std::ranges::all_of(nodes_, [&](MachineId machine) {
    node::Node* const node = this->node(machine);
    swim::Agent* const agent = node ? node->gossip_agent() : nullptr;
    return !agent || agent->swim().alive_count() == nodes_.size();
  });
}

PathKind Network::path(MachineId from, MachineId to) {
  const node::Node* node = this->node(from);
  const auto info = node ? node->peer_info(world_.now(), host(to).id()) : std::nullopt;
  return info ? info->path.kind : PathKind::kNone;
}

std::string Network::describe(MachineId from, MachineId to) {
  const node::Node* node = this->node(from);
  const auto info = node ? node->peer_info(world_.now(), host(to).id()) : std::nullopt;
  if (!info) return "not known";
  std::string out(peer_state_name(info->state));
  out += ", " + std::string(path_kind_name(info->path.kind)) + " " + info->path.via +
         info->path.endpoint + " " + info->path.reason + "; hubs:";
  for (const node::HubStatus& hub : node->status(world_.now()).hubs) {
    out += " " + hub.name + " " + std::string(peer_state_name(hub.state));
  }
  return out;
}

bool Network::wait(Nanoseconds limit, const std::function<bool()>& until) {
  const Instant end = world_.now() + limit;
  while (!until()) {
    if (world_.now() >= end) return false;
    world_.run_for(1ms);
  }
  return true;
}

}  // namespace ginnel::sim
