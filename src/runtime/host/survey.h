// Asks every hub of a node, from a socket of its own, what the way there is like.
//
//   const Survey survey = survey_hubs(node.hubs, {.bind = listen});
//
// Blocks for a few seconds at most (HubProbe, then NatDiscovery where wanted). Allocates.
#pragma once
#include <ginnel/error.h>

#include <optional>
#include <string>
#include <vector>

#include "proto/stun/nat_class.h"
#include "runtime/host/hub_probe.h"
#include "runtime/host/node_facts.h"

namespace ginnel::host {

// One address of a hub.
struct SurveyedHub {
  std::string name;
  ProbeFinding finding;
};

struct Survey {
  std::vector<SurveyedHub> hubs;
  std::vector<std::string> unresolved;  // texts of hubs whose name means no address
  std::optional<stun::NatClass> nat;    // where it was wanted and a hub answered
  std::optional<Error> error;           // no socket: nothing was asked

  // The quickest answer that has a clock. nullopt: none.
  std::optional<Nanoseconds> clock_ahead() const;
  bool any_answer() const;
};

struct SurveyOptions {
  Address bind;           // as node.listen has it; unspecified: any
  bool want_nat = false;  // takes up to kNatTime more
};

inline constexpr Nanoseconds kNatTime = 6s;

Survey survey_hubs(const std::vector<KnownHub>& hubs, const SurveyOptions& options);

}  // namespace ginnel::host
