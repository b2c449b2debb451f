#include "sim/drop.h"

#include <array>

namespace ginnel::sim {

std::string_view drop_name(DropReason reason) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(DropReason::kCount)>
      kNames = {"loss",          "queue full",   "link down",       "too big",
                "ttl expired",   "no route",     "bad source",      "nat: no mapping",
                "nat: filtered", "nat: blocked", "nat: no hairpin", "nat: full",
                "nat: local",    "no socket",    "machine down",    "too many packets"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace ginnel::sim
