#include "proto/path/reason.h"

#include <array>

#include "base/assert.h"

namespace ginnel::path {
namespace {

struct Row {
  std::string_view code;
  std::string_view text;
  std::string_view fix;
};
// In the order of the enum.
constexpr std::array<Row, static_cast<std::size_t>(Reason::kCount)> kRows = {{
    {"R_OK", "packets go directly", ""},
    {"R_IDLE", "no traffic lately, so no direct path is kept open", "send something: ginnel ping"},
    {"R_PROBING", "direct addresses are being tried", "wait a moment"},
    {"R_NO_CANDIDATES", "the peer told no address that could be tried",
     "see on the peer what `ginnel status` says of its hubs and its NAT"},
    {"R_NO_ANSWER", "packets were sent directly, no authenticated answer came back",
     "allow UDP between the two networks, or map the peer's port at its router"},
    {"R_PEER_SILENT", "the peer did not answer the call through the hub",
     "see that the peer is online and that its [punch] enable is true"},
    {"R_SYMMETRIC_BOTH", "both networks' NATs use another port for each destination",
     "map a UDP port at one of the two routers (UPnP or by hand), or use IPv6"},
    {"R_SYMMETRIC_NAT",
     "one network's NAT uses another port for each destination, and the other "
     "network lets only known ports in",
     "map a UDP port at one of the two routers (UPnP or by hand), or use IPv6"},
    {"R_UDP_BLOCKED", "no UDP gets out of this network", "allow outgoing UDP to the hub's port"},
    {"R_PUNCH_DISABLED", "hole punching is switched off", "set [punch] enable = true"},
    {"R_PATH_DIED", "the direct path worked, then nothing came back on it",
     "see what changed on the way; it is tried again every two seconds"},
    {"R_BUDGET", "the budget for probes is used up for now",
     "wait a minute, or raise [punch] probes_per_second"},
    {"R_NO_PATH", "neither a hub nor a direct path leads to the peer",
     "see that a hub is reachable: ginnel hubs"},
}};

const Row& row_of(Reason reason) {
  GINNEL_ASSERT(reason < Reason::kCount);
  return kRows[static_cast<std::size_t>(reason)];
}

}  // namespace

std::string_view reason_code(Reason reason) { return row_of(reason).code; }
std::string_view reason_text(Reason reason) { return row_of(reason).text; }
std::string_view reason_fix(Reason reason) { return row_of(reason).fix; }

}  // namespace ginnel::path
