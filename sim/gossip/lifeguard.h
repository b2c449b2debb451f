// Lifeguard's experiments (arXiv 1707.00788, section V): C members of a healthy cluster stop
// hearing and speaking for D, and the others are to find out who is really gone.
//
//   interval:  for two minutes they fall silent for D and are back for I, again and again. Whatever
//   is
//              declared dead that was never silent is a false positive.
//   threshold: they fall silent once. How long until the first other member declares them dead, and
//              until all have?
#pragma once
#include <string_view>

#include "sim/gossip/gossip_net.h"

namespace ginnel::sim {

// Plain SWIM, each part of Lifeguard alone, and all three.
enum class LifeguardPart : std::uint8_t { kNone, kHealth, kSuspicion, kBuddy, kAll, kCount };
std::string_view name_of(LifeguardPart part);

// The two descriptions differ: the paper scales the probe timeout too, sends nacks at 80 % of it,
// and lets the health score reach 8 (memberlist: 7).
enum class LifeguardRules : std::uint8_t { kMemberlist, kPaper };

// kBlocked: sends and receives wait, timers go on, as the paper says. kStalled: as kill -STOP.
enum class Silence : std::uint8_t { kBlocked, kStalled };

struct LifeguardOptions {
  std::uint64_t seed = 1;
  std::uint32_t members = 128;
  LifeguardPart part = LifeguardPart::kAll;
  LifeguardRules rules = LifeguardRules::kMemberlist;
  Silence silence = Silence::kBlocked;
  std::uint32_t concurrent = 8;  // C, at most members - 1
  Nanoseconds silent = 16384ms;  // D, > 0
  Nanoseconds between = 64ms;    // I, interval only, > 0
  Nanoseconds duration = 120s;   // interval: of the experiment; threshold: at most to wait
};

// The paper's alpha = 5, beta = 6, K = 3; a part that is off as the paper switches it off.
swim::Config lifeguard_config(LifeguardPart part, LifeguardRules rules);

struct IntervalResult {
  std::uint64_t false_positives = 0;  // healthy members declared dead, each time at each member
  std::uint64_t false_positives_at_healthy = 0;  // those of them at members that were never silent
  std::uint64_t suspicions = 0;                  // of healthy members, likewise at each member
  GossipTraffic traffic;
};
IntervalResult run_interval(const LifeguardOptions& options);

struct ThresholdResult {
  std::vector<Nanoseconds> first;  // one for each silent member that was found
  std::vector<Nanoseconds> all;    // one for each that every healthy member found
  std::uint32_t missed = 0;        // nobody found it in time
};
ThresholdResult run_threshold(const LifeguardOptions& options);

}  // namespace ginnel::sim
