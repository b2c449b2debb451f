// The plain values that the API hands out: snapshots, never pointers into live state.
#pragma once
#include <ginnel/id.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ginnel {

// How packets travel to a peer now. The words of `path.kind` in docs/cli.md.
enum class PathKind : std::uint8_t {
  kNone,      // no session yet, or every path is dead
  kLan,       // an address in a subnet of an own interface
  kDirect,    // the other's own or mapped address, as configured or bound
  kPunched,   // a path that exists because of a call-me-maybe
  kRelayUdp,  // through a hub
  kRelayTcp,  // through a hub, over TCP
};
std::string_view path_kind_name(PathKind kind);

struct PathInfo {
  PathKind kind = PathKind::kNone;
  std::string via;       // the relaying hub's name; empty when direct
  std::string endpoint;  // "ADDR:PORT"; empty when none
  std::string reason;    // a stable R_… code why it is not direct; empty when it is
  std::optional<std::chrono::nanoseconds> rtt;
  std::optional<double> loss;  // 0..1
  std::size_t mtu = 0;         // bytes of the largest IP packet that goes unfragmented; 0: no path
};

enum class PeerState : std::uint8_t { kOnline, kConnecting, kDown };
std::string_view peer_state_name(PeerState state);

// What was lost on the way to or from a peer since this node started. Nothing is lost that is not
// counted here, or told to the program that sent it.
struct Losses {
  std::uint64_t messages_not_sent = 0;  // came back by on_undelivered
  std::uint64_t messages_unknown = 0;   // came back, and may have arrived
  std::uint64_t lane_packets = 0;       // of an earlier run, of no lane, or malformed; sent again
  std::uint64_t ip_packets = 0;         // there was no session, and too many waited for it
  std::uint64_t frames = 0;             // pings, datagrams: too many waited for room
};

struct PeerInfo {
  Id id;  // nil: a stock WireGuard peer, which takes IP packets only
  std::string name;
  std::vector<std::string> addresses;  // overlay addresses, IPv4 first, without prefix length
  PeerState state = PeerState::kDown;
  PathInfo path;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::optional<std::chrono::system_clock::time_point> last_seen;
  Losses losses;
};

struct HubInfo {
  Id id;
  std::string name;
  PeerState state = PeerState::kDown;
  std::string endpoint;
  std::optional<std::chrono::nanoseconds> rtt;
};

enum class MemberState : std::uint8_t { kAlive, kSuspect, kFailed, kLeft };
std::string_view member_state_name(MemberState state);

// A node of the network as gossip knows it.
struct MemberInfo {
  Id id;  // nil: no certificate of this name has been seen yet
  std::string name;
  std::string address;  // "[overlay IPv6]:7946"
  MemberState state = MemberState::kAlive;
  std::map<std::string, std::string> tags;  // its certificate's, its user's, and `role`
  std::vector<std::string> suspected_by;    // who accused it last, first accuser first
};

// One try of one way to a peer, as `ginnel why` shows it.
struct Attempt {
  std::string local;
  std::string remote;
  std::string kind;    // lan, direct, punched, relay-udp, …
  std::string result;  // selected, proven, no answer, probing, …
  std::string reason;  // R_…
  std::string fix;     // what would help; may be empty
  std::chrono::system_clock::time_point at;
};

}  // namespace ginnel
