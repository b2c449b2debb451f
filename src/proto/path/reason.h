// Why a peer is not reached directly, as `status` and `why` say it. The codes are stable: scripts
// read them.
#pragma once
#include <cstdint>
#include <string_view>

namespace ginnel::path {

enum class Reason : std::uint8_t {
  kOk,             // R_OK: direct
  kIdle,           // R_IDLE: nothing was sent lately, so nothing was tried
  kProbing,        // R_PROBING: being tried now
  kNoCandidates,   // R_NO_CANDIDATES: the peer told no address that may be tried
  kNoAnswer,       // R_NO_ANSWER: packets went out, no authenticated answer came
  kPeerSilent,     // R_PEER_SILENT: the call-me-maybe was not answered
  kSymmetricBoth,  // R_SYMMETRIC_BOTH: both NATs give each flow another port
  kSymmetricNat,   // R_SYMMETRIC_NAT: one NAT does, the other end lets only known ports in
  kUdpBlocked,     // R_UDP_BLOCKED: no UDP leaves this network
  kPunchDisabled,  // R_PUNCH_DISABLED: switched off here
  kPathDied,       // R_PATH_DIED: it worked, then nothing came back
  kBudget,         // R_BUDGET: the probe budget is used up
  kNoPath,         // R_NO_PATH: neither a relay nor a direct path
  kCount,
};

std::string_view reason_code(Reason reason);  // "R_NO_ANSWER"
std::string_view reason_text(Reason reason);  // one sentence, without full stop
std::string_view reason_fix(Reason reason);   // what would help; empty: nothing needs to

}  // namespace ginnel::path
