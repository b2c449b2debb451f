#include "sim/gossip/lifeguard.h"

#include <algorithm>

#include "base/assert.h"

namespace ginnel::sim {
namespace {

// What the paper waits before the anomalies begin.
constexpr Nanoseconds kQuiet = 15s;
constexpr Nanoseconds kJoinGap = 10ms;

// A cluster at rest, and who will fall silent.
class Experiment {
 public:
  explicit Experiment(const LifeguardOptions& options)
      : options_(options),
        rng_(Rng::from_seed(options.seed).fork("lifeguard")),
        net_({.seed = options.seed}) {
    GINNEL_ASSERT(options.concurrent < options.members);
    for (std::uint32_t i = 0; i < options.members; ++i) {
      net_.add(lifeguard_config(options.part, options.rules));
      if (i > 0) net_.join(i, static_cast<std::uint32_t>(rng_.below(i)));
      net_.run_for(kJoinGap);
    }
    net_.run_for(kQuiet);
    while (!net_.all_see(options.members)) net_.run_for(1s);
    net_.take_notes();
    net_.take_traffic();
    choose_silent();
  }

  GossipNet& net() { return net_; }
  bool is_silent(std::uint32_t member) const { return silent_[member]; }
  void silence() {
    for (std::uint32_t i = 0; i < options_.members; ++i) {
      if (!silent_[i]) continue;
      if (options_.silence == Silence::kBlocked)
        net_.block(i, options_.silent);
      else
        net_.stall(i, options_.silent);
    }
  }

 private:
  void choose_silent() {
    silent_.assign(options_.members, false);
    for (std::uint32_t chosen = 0; chosen < options_.concurrent;) {
      const auto i = rng_.below(options_.members);
      if (!silent_[i]) ++chosen;
      silent_[i] = true;
    }
  }

  const LifeguardOptions& options_;
  Rng rng_;
  GossipNet net_;
  std::vector<bool> silent_;
};

}  // namespace

std::string_view name_of(LifeguardPart part) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(LifeguardPart::kCount)> kNames = {
      "SWIM", "LHA-Probe", "LHA-Suspicion", "Buddy", "Lifeguard"};
  return kNames[static_cast<std::size_t>(part)];
}

swim::Config lifeguard_config(LifeguardPart part, LifeguardRules rules) {
  const auto has = [&](LifeguardPart one) { return part == one || part == LifeguardPart::kAll; };
  const bool paper = rules == LifeguardRules::kPaper;
  swim::Config out = swim::Config::lan();
  out.suspicion_mult = 5;
  out.suspicion_max_timeout_mult = has(LifeguardPart::kSuspicion) ? 6 : 1;
  out.awareness_max_multiplier = !has(LifeguardPart::kHealth) ? 1 : paper ? 9 : 8;
  out.buddy_system = has(LifeguardPart::kBuddy);
  out.scale_probe_timeout = paper && has(LifeguardPart::kHealth);
  out.early_nack = paper && has(LifeguardPart::kHealth);
  return out;
}

IntervalResult run_interval(const LifeguardOptions& options) {
  Experiment experiment(options);
  GossipNet& net = experiment.net();
  const Instant end = net.now() + options.duration;
  IntervalResult out;
  while (net.now() < end) {
    experiment.silence();
    net.run_until(std::min(end, net.now() + options.silent));
    net.run_until(std::min(end, net.now() + options.between));
  }
  for (const Note& note : net.take_notes()) {
    if (experiment.is_silent(note.subject)) continue;
    if (note.kind == Note::Kind::kSuspected) ++out.suspicions;
    if (note.kind != Note::Kind::kFailed) continue;
    ++out.false_positives;
    if (!experiment.is_silent(note.observer)) ++out.false_positives_at_healthy;
  }
  out.traffic = net.take_traffic();
  return out;
}

ThresholdResult run_threshold(const LifeguardOptions& options) {
  Experiment experiment(options);
  GossipNet& net = experiment.net();
  const Instant start = net.now();
  const std::uint32_t healthy = options.members - options.concurrent;
  experiment.silence();
  net.run_until(start + options.duration);
  std::vector<std::set<std::uint32_t>> seen_by(options.members);
  ThresholdResult out;
  for (const Note& note : net.take_notes()) {  // in the order of time
    const bool counts = note.kind == Note::Kind::kFailed && experiment.is_silent(note.subject) &&
                        !experiment.is_silent(note.observer);
    if (!counts || !seen_by[note.subject].insert(note.observer).second) continue;
    if (seen_by[note.subject].size() == 1) out.first.push_back(note.at - start);
    if (seen_by[note.subject].size() == healthy) out.all.push_back(note.at - start);
  }
  out.missed = options.concurrent - static_cast<std::uint32_t>(out.first.size());
  return out;
}

}  // namespace ginnel::sim
