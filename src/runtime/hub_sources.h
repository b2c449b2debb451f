// Which hubs a node goes to, and under which names: network.hubs where it names any, else those of
// the join.
//
// Values.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/config.h"
#include "runtime/identity_store/enrolment.h"

namespace ginnel::runtime {

struct HubSource {
  std::optional<crypto::SessionPublic> key;
  std::string name;                // as in its certificate; empty: not known by its key
  std::vector<std::string> texts;  // "HOST:PORT"
};

std::vector<HubSource> hub_sources(const config::Config& config,
                                   const identity::Enrolment& enrolment);

}  // namespace ginnel::runtime
