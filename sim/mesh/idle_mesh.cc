#include "sim/mesh/idle_mesh.h"

#include <algorithm>

#include "sim/network.h"

namespace ginnel::sim {
namespace {

constexpr Nanoseconds kIdleLeg = 12'500us;

// What leaves a machine. Programs say nothing.
struct Meter final : Programs {
  void message(MachineId, MachineId, const std::string&, ConstBytes) override {}
  void packet(MachineId, ConstBytes) override {}
  void settled(MachineId, const node::AckSettled&) override {}
  void datagram_sent(MachineId from, ConstBytes bytes) override {
    if (!counting) return;
    ++packets[from];
    sent_bytes[from] += bytes.size();
  }
  bool counting = false;
  std::map<MachineId, std::uint64_t> packets;
  std::map<MachineId, std::uint64_t> sent_bytes;
};

class IdleMesh {
 public:
  explicit IdleMesh(const IdleMeshOptions& options)
      : options_(options),
        world_({.seed = options.seed, .trace_entries = 0, .hash_payloads = false}),
        places_(world_),
        network_(world_, meter_) {}

  IdleMeshResult run() {
    network_.set_gossip(options_.gossip);
    start();
    IdleMeshResult out;
    const Instant started = world_.now();
    if (options_.gossip) out.converged = converge(started);
    world_.run_until(std::max(world_.now(), started + options_.settle));
    meter_.counting = true;
    world_.run_for(options_.measure);
    count_traffic(out);
    count_sessions(out);
    return out;
  }

 private:
  void start() {
    const LinkPair leg = both({.delay = kIdleLeg});
    for (std::size_t i = 0; i < options_.hubs; ++i) {
      network_.add_hub("hub" + std::to_string(i), places_,
                       places_.add_site(NatKind::kOpen, {.wan = leg}));
      world_.run_for(1s);
    }
    for (std::size_t i = 0; i < options_.peers; ++i) {
      const NatKind kind = i % 4 == 0 ? NatKind::kSymmetric : NatKind::kPortrestricted;
      peers_.push_back(network_.add_peer("p" + std::to_string(i), places_,
                                         places_.add_site(kind, {.wan = leg})));
      world_.run_for(options_.join_interval);
    }
  }
  Nanoseconds converge(Instant started) {
    const std::size_t all = options_.peers + options_.hubs;
    const auto is_member_to_all = [&](MachineId machine) {
      node::Node* node = network_.node(machine);
      return node && node->gossip_agent()->swim().alive_count() == all;
    };
    while (world_.now() < started + options_.settle) {
      if (std::ranges::all_of(network_.nodes(), is_member_to_all)) return world_.now() - started;
      world_.run_for(1s);
    }
    return {};
  }
  void count_traffic(IdleMeshResult& out) {
    const double seconds = std::chrono::duration<double>(options_.measure).count();
    const auto per_second = [&](const auto& by_machine, const std::vector<MachineId>& machines) {
      double sum = 0;
      for (const MachineId machine : machines) {
        const auto it = by_machine.find(machine);
        if (it != by_machine.end()) sum += static_cast<double>(it->second);
      }
      return sum / seconds / static_cast<double>(machines.size());
    };
    out.peer_bytes_per_second = per_second(meter_.sent_bytes, peers_);
    out.peer_packets_per_second = per_second(meter_.packets, peers_);
    out.hub_bytes_per_second = per_second(meter_.sent_bytes, network_.hubs());
  }
  void count_sessions(IdleMeshResult& out) {
    std::size_t sum = 0;
    for (const MachineId peer : peers_) {
      const node::Node& node = *network_.node(peer);
      const std::size_t sessions = node.live_session_count();
      sum += sessions;
      out.sessions_max = std::max(out.sessions_max, sessions);
      for (const PeerInfo& other : node.status(world_.now()).peers) {
        const bool relayed = other.path.kind == PathKind::kNone ||
                             other.path.kind == PathKind::kRelayUdp || other.id.is_hub();
        out.direct_pairs += relayed ? 0 : 1;
      }
    }
    out.sessions_mean = static_cast<double>(sum) / static_cast<double>(peers_.size());
  }

  IdleMeshOptions options_;
  Meter meter_;
  World world_;
  Places places_;
  Network network_;
  std::vector<MachineId> peers_;
};

}  // namespace

IdleMeshResult run_idle_mesh(const IdleMeshOptions& options) { return IdleMesh(options).run(); }

}  // namespace ginnel::sim
