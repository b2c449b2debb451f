// The flow of a run:
//
//   1. build   hubs, sites, peers; everybody joins by token, one after the other
//   2. rage    traffic and faults for `minutes`
//   3. calm    traffic goes on without faults, then stops; a last message between every two
//   4. judge   what the checkers say, and who does not know whom
#include "sim/chaos.h"

#include <numeric>

#include "sim/fault_injector.h"

namespace ginnel::sim {
namespace {

constexpr std::size_t kNodesMin = 5;
constexpr std::size_t kNodesMax = 12;
constexpr std::size_t kHubsMax = 3;
// How long everything may take to be as it should once the faults are over.
constexpr Nanoseconds kCalm = 30s;
// A last message that was sent into the calm, and whatever still waits.
constexpr Nanoseconds kLastWords = 25s;
// A member that was called dead is looked for again within a minute; its word then has to spread.
constexpr Nanoseconds kGossipHeals = 3min;
constexpr Nanoseconds kJoinTime = 30s;
constexpr std::size_t kTraceEntries = 64;

constexpr std::array kKinds = {NatKind::kOpen,       NatKind::kFirewall,       NatKind::kFullcone,
                               NatKind::kRestricted, NatKind::kPortrestricted, NatKind::kLinuxclash,
                               NatKind::kSymmetric,  NatKind::kSymseq,         NatKind::kCgnat,
                               NatKind::kCgnatsym,   NatKind::kSamelan,        NatKind::kSamelanhp,
                               NatKind::kCgnatpair};

// Nodes never hold more than this, whatever happens.
class BoundChecker : public Checker {
 public:
  explicit BoundChecker(Network& network) : network_(network) {}
  void on_step(const World& world) override {
    if (world.now() < next_) return;
    next_ = world.now() + 1s;
    for (const MachineId id : network_.nodes()) {
      const node::Node* node = network_.node(id);
      if (!node) continue;
      const std::string& name = world.machine(id).name();
      if (node->session_count() > 2 * network_.nodes().size())
        violated("too many sessions: " + name);
      if (node->outstanding() > node::kNodeBudgetBytes) violated("too much waits: " + name);
    }
  }

 private:
  Network& network_;
  Instant next_{};
};

class Chaos {
 public:
  explicit Chaos(const ChaosOptions& options)
      : options_(options),
        world_({.seed = options.seed, .trace_entries = kTraceEntries}),
        rng_(world_.fork("chaos")),
        places_(world_),
        traffic_(world_, {}),
        network_(world_, traffic_, options.planes),
        bounds_(network_) {
    world_.watch(bounds_);
    // Half of the seeds: gossip leaves sessions and paths alone, so all must hold with it and without.
    if (world_.fork("gossip").chance(0.5)) network_.set_gossip(swim::Config::lan());
  }

  ChaosResult run();

 private:
  bool build();
  bool add_hubs();
  bool add_peers(std::size_t count);
  LinkPair wire();
  void rage();
  void calm();
  void judge(ChaosResult& result);

  ChaosOptions options_;
  World world_;
  Rng rng_;
  Places places_;
  Traffic traffic_;
  Network network_;
  BoundChecker bounds_;
  std::unique_ptr<FaultInjector> faults_;
  std::vector<std::string> problems_;
};

// What an access line may be like: near or far, clean or not.
LinkPair Chaos::wire() {
  LinkConfig config{.delay = rng_.between(1ms, 60ms), .jitter = rng_.between(0ns, 4ms)};
  if (rng_.chance(0.5)) config.loss = 0.02 * rng_.uniform();
  if (rng_.chance(0.3)) config.reorder = 0.02 * rng_.uniform();
  if (rng_.chance(0.3)) config.duplicate = 0.02 * rng_.uniform();
  return both(config);
}

bool Chaos::add_hubs() {
  const std::size_t hubs = 1 + rng_.below(kHubsMax);
  for (std::size_t i = 0; i < hubs; ++i) {
    const Site site = places_.add_site(NatKind::kOpen, {.wan = wire()});
    const MachineId id = network_.add_hub("hub" + std::to_string(i + 1), places_, site);
    if (!network_.wait(kJoinTime, [&] { return network_.node(id) != nullptr; })) return false;
  }
  return true;
}

bool Chaos::add_peers(std::size_t count) {
  Site site;
  std::size_t spots = 0;  // left at the site
  std::size_t home = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (spots == 0) {
      const NatKind kind = kKinds[rng_.below(kKinds.size())];
      site = places_.add_site(kind, {.wan = wire()});
      spots =
          kind == NatKind::kSamelan || kind == NatKind::kSamelanhp || kind == NatKind::kCgnatpair
              ? 2
              : 1;
      home = 0;
    }
    --spots;
    const std::string name = "peer" + std::to_string(i + 1);
    const Spot spot{.home = site.kind == NatKind::kCgnatpair ? home++ : 0};
    const MachineId id = network_.add_peer(name, places_, site, spot);
    if (!network_.wait(kJoinTime, [&] { return network_.node(id) != nullptr; })) return false;
  }
  return true;
}

bool Chaos::build() {
  const std::size_t nodes = kNodesMin + rng_.below(kNodesMax - kNodesMin + 1);
  if (!add_hubs() || !add_peers(nodes - network_.hubs().size())) {
    problems_.push_back("a node could not join");
    return false;
  }
  if (!network_.wait(kJoinTime, [&] { return network_.all_know_each_other(); })) {
    problems_.push_back("not everybody knew everybody before the first fault");
    return false;
  }
  return true;
}

void Chaos::rage() {
  traffic_.start(network_);
  const Instant start = world_.now();
  const FaultPlanOptions plan{.start = start,
                              .stop = start + std::chrono::minutes(options_.minutes),
                              .per_minute = options_.faults_per_minute};
  faults_ = std::make_unique<FaultInjector>(
      world_, make_fault_plan(plan, targets_of(world_, network_.hubs()), world_.fork("faults")));
  world_.run_until(plan.stop);
}

void Chaos::calm() {
  world_.run_for(kCalm);
  traffic_.stop();
  if (!network_.all_know_each_other()) problems_.push_back("not everybody knows everybody again");
  traffic_.ask_everybody();
  world_.run_for(kLastWords);
  for (std::string& text : traffic_.unanswered()) problems_.push_back(std::move(text));
  if (!network_.wait(kGossipHeals, [&] { return network_.all_are_members(); })) {
    problems_.push_back("not everybody is a member to everybody again");
  }
}

void Chaos::judge(ChaosResult& result) {
  const bool ok = world_.finish() && problems_.empty();
  result.hubs = network_.hubs().size();
  result.nodes = network_.nodes().size();
  result.traffic = traffic_.counts();
  result.events = world_.events();
  result.hash = world_.trace().hash();
  if (faults_) {
    for (std::size_t i = 0; i < kFaultKinds; ++i) result.faults[i] = faults_->done(FaultKind(i));
  }
  if (ok) return;
  for (const std::string& text : problems_) result.report += "violated: " + text + "\n";
  if (faults_) {
    for (const Fault& fault : faults_->plan()) result.report += "fault " + fault.text() + "\n";
  }
  result.report += world_.failure_report("");
}

ChaosResult Chaos::run() {
  ChaosResult out;
  if (build()) {
    rage();
    calm();
  }
  judge(out);
  return out;
}

}  // namespace

std::uint64_t ChaosResult::faults_total() const {
  return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

ChaosResult run_chaos(const ChaosOptions& options) { return Chaos(options).run(); }

}  // namespace ginnel::sim
