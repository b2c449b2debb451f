#include <ginnel/sim.h>

#include <map>

#include "api/node_impl.h"
#include "base/assert.h"
#include "node/founder.h"
#include "sim/library/world_driver.h"
#include "sim/places.h"

namespace ginnel::sim::library {
namespace {

const Prefix kOverlay = *Prefix::parse("10.66.0.0/16");
constexpr std::string_view kHub = "hub";
// A join takes a round trip or two, and is tried again when packets get lost.
constexpr Nanoseconds kJoinTime = 60s;

NatKind kind_of(Nat nat) {
  if (nat == Nat::kHome) return NatKind::kPortrestricted;
  return nat == Nat::kSymmetric ? NatKind::kSymmetric : NatKind::kOpen;
}

}  // namespace

struct Network::World {
  struct Member {
    MachineId machine;
    AttachmentId wan;  // where the internet sees it
    Node node;
  };

  explicit World(std::uint64_t seed)
      : world({.seed = seed, .trace_entries = 0, .hash_payloads = false}),
        places(world),
        rng(world.fork("library")) {}

  NodeSetup found();
  NodeSetup invite(std::string_view name);
  Member& add(NodeSetup setup, Nat nat);
  Member& member(std::string_view name);
  void set_way(const Member& from, const Member& to, const LinkOptions& link);

  sim::World world;
  Places places;
  Rng rng;
  bool busy = false;
  crypto::NetworkPublic network;
  std::map<std::string, Member, std::less<>> members;
};

NodeSetup Network::World::found() {
  NodeSetup setup{.name = std::string(kHub), .identity = {}, .token = {}, .config = {}};
  auto founded = node::found_network({setup.name, kOverlay}, rng, world.wall());
  GINNEL_ASSERT(founded);
  setup.identity = *std::move(founded);
  setup.config.hub = node::HubConfig{.public_endpoint = {}, .probe_port = kHubPort + 1};
  setup.config.network_name = "home";
  setup.config.overlay_v4 = kOverlay;
  network = setup.identity.network;
  return setup;
}

NodeSetup Network::World::invite(std::string_view name) {
  const MachineId hub = members.find(kHub)->second.machine;
  auto token = world.host<NodeHost>(hub).node()->invite(world.now(), {});
  GINNEL_ASSERT(token);
  world.poke(hub);
  return {.name = std::string(name),
          .identity = node::make_identity(Role::kPeer, network, rng),
          .token = *std::move(token),
          .config = {}};
}

Network::World::Member& Network::World::add(NodeSetup setup, Nat nat) {
  GINNEL_ASSERT(!busy);  // not from a handler: time goes on until it has joined
  GINNEL_ASSERT(members.size() < kNodesMax);
  const std::string name = setup.name;
  setup.all_channels = false;
  const MachineId machine = world.add_machine(name, std::make_unique<NodeHost>(std::move(setup)));
  const AttachmentId place = places.put(machine, places.add_site(kind_of(nat)));
  world.start(machine);
  const Instant end = world.now() + kJoinTime;
  while (!world.host<NodeHost>(machine).node() && world.now() < end) world.run_for(1ms);
  GINNEL_ASSERT(world.host<NodeHost>(machine).node());  // a name that is none?
  Node node(std::make_unique<api::NodeImpl>(std::make_unique<WorldDriver>(world, machine, busy)));
  const AttachmentId wan = world.net().wan_of(place);
  return members.emplace(name, Member{machine, wan, std::move(node)}).first->second;
}

Network::World::Member& Network::World::member(std::string_view name) {
  const auto it = members.find(name);
  return it != members.end() ? it->second : add(invite(name), Nat::kNone);
}

void Network::World::set_way(const Member& from, const Member& to, const LinkOptions& link) {
  world.net().across(from.wan, to.wan).set_config({.delay = link.rtt / 2,
                                                   .jitter = link.jitter,
                                                   .loss = link.loss,
                                                   .burst = {},
                                                   .rate_bits = link.bits_per_second});
}

Network::Network(std::uint64_t seed) : world_(std::make_unique<World>(seed)) {
  world_->add(world_->found(), Nat::kNone);
}

Network::~Network() = default;

Node& Network::add(std::string_view name, Nat nat) {
  GINNEL_ASSERT(!world_->members.contains(name));
  return world_->add(world_->invite(name), nat).node;
}

Node& Network::operator[](std::string_view name) { return world_->member(name).node; }

void Network::link(std::string_view a, std::string_view b, const LinkOptions& link) {
  const World::Member& one = world_->member(a);
  const World::Member& other = world_->member(b);
  world_->set_way(one, other, link);
  world_->set_way(other, one, link);
}

void Network::run_for(std::chrono::nanoseconds time) {
  if (!world_->busy) world_->world.run_for(time);
}

bool Network::run_until(const std::function<bool()>& holds, std::chrono::nanoseconds limit) {
  const Instant end = world_->world.now() + limit;
  while (!holds()) {
    if (world_->busy || world_->world.now() >= end) return false;
    world_->world.run_for(1ms);
  }
  return true;
}

std::chrono::nanoseconds Network::now() const { return world_->world.now() - Instant{}; }

}  // namespace ginnel::sim::library
