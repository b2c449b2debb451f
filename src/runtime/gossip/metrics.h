// The member's counters in the text form that Prometheus reads.
#pragma once
#include <string>

#include "runtime/gossip/engine.h"

namespace ginnel::gossip {

std::string metrics_text(Engine& engine);

}  // namespace ginnel::gossip
