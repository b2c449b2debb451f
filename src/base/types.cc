#include <ginnel/types.h>

namespace ginnel {

std::string_view path_kind_name(PathKind kind) {
  switch (kind) {
    case PathKind::kNone: return "none";
    case PathKind::kLan: return "lan";
    case PathKind::kDirect: return "direct";
    case PathKind::kPunched: return "punched";
    case PathKind::kRelayUdp: return "relay-udp";
    case PathKind::kRelayTcp: return "relay-tcp";
  }
  return "none";
}

std::string_view member_state_name(MemberState state) {
  switch (state) {
    case MemberState::kAlive: return "alive";
    case MemberState::kSuspect: return "suspect";
    case MemberState::kFailed: return "failed";
    case MemberState::kLeft: return "left";
  }
  return "failed";
}

std::string_view peer_state_name(PeerState state) {
  switch (state) {
    case PeerState::kOnline: return "online";
    case PeerState::kConnecting: return "connecting";
    case PeerState::kDown: return "down";
  }
  return "down";
}

}  // namespace ginnel
