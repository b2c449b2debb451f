// Which path carries traffic to one peer: through a relay at once, directly as soon as that is
// proven, back on the relay when it dies.
//
//   Agent agent(config, budget, Rng(key));            // one per remote peer, fed by the node
//   agent.set_relays(now, relays);  agent.set_remote_candidates(now, candidates);
//   agent.want_direct(now);                           // there is traffic for this peer
//   drain(agent, now, outbox, on_event);              // the node seals what comes out
//   agent.selected()->path                            // where data goes now
//
// The agent never sees ciphertext. What it emits is one inner frame, header included, to be sealed
// into the peer's session and sent to `path`, `to`, with `ttl`; what it is fed was opened and
// authenticated. Only it moves a peer's endpoint. Not thread-safe; every container is bounded.
#pragma once
#include <ginnel/result.h>

#include <array>
#include <deque>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "base/timers.h"
#include "proto/path/outgoing.h"
#include "proto/path/pair.h"
#include "proto/path/probe_budget.h"
#include "proto/path/rate_cap.h"
#include "proto/path/reason.h"
#include "proto/path/relay_path.h"

namespace ginnel::path {

struct Config {
  bool punch = true;             // [punch] enable
  Nanoseconds heartbeat{1s};     // on the selected direct path while in use
  Nanoseconds keepalive{15s};    // on it when idle: below most NATs' 30 s
  Nanoseconds idle_after{600s};  // without data: direct paths are let go
  std::size_t mtu_bytes = 1500;  // of the outgoing interface
  // What sealing, UDP and IP add to a frame: 32 + 8 + 20, or 40.
  std::size_t overhead_v4_bytes = 60;
  std::size_t overhead_v6_bytes = 80;
  std::vector<Prefix> overlay;  // never a candidate
};

// Where data for the peer goes.
struct Selected {
  PathId path;        // kSocket, or a relay's
  Endpoint endpoint;  // of the peer, or of the relay
  PathKind kind = PathKind::kNone;
  friend bool operator==(const Selected&, const Selected&) = default;
};

struct PathSelected {
  Selected now;
};
struct PathLost {  // it died, or was taken away; another may have been selected right after
  Selected was;
  Reason reason = Reason::kPathDied;
};
struct ReasonChanged {
  Reason reason = Reason::kIdle;
};
struct MtuChanged {
  Selected path;
  std::size_t mtu_bytes = 0;
};

enum class AttemptResult : std::uint8_t {
  kSelected,
  kProven,
  kProbing,
  kWaiting,
  kNoAnswer,
  kDied
};
std::string_view attempt_result_name(AttemptResult result);  // "no answer"

// One way to the peer and how it went, for `why`.
struct Attempt {
  PathId path;
  Endpoint local;  // our own candidate that matches best; all zero: unknown
  Endpoint remote;
  PathKind kind = PathKind::kNone;
  AttemptResult result = AttemptResult::kWaiting;
  Reason reason = Reason::kProbing;
  std::optional<Nanoseconds> rtt;
  Instant at;  // of the last change
};

class Agent {
 public:
  using Event = std::variant<PathSelected, PathLost, ReasonChanged, MtuChanged>;
  // At the limit a probe from a further address is not taken and a candidate not tried.
  static constexpr std::size_t kPairsMax = 24;
  static constexpr std::size_t kRelaysMax = 4;   // further ones are ignored
  static constexpr std::size_t kEventsMax = 32;  // at the limit the oldest is dropped
  // What one introduction may send to addresses that have not answered.
  static constexpr std::size_t kIntroductionPacketsMax = 32;
  static constexpr std::size_t kIntroductionBytesMax = 4096;
  // And all introductions with this peer together, so that a hopeless pair stays cheap.
  static constexpr std::size_t kSilentProbesPerMinute = 40;

  // `budget` outlives the agent and is shared by all agents of a node.
  Agent(Instant now, const Config& config, ProbeBudget& budget, Rng rng);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // --- what the node knows
  void set_local_candidates(Instant now, std::vector<Candidate> own, stun::NatClass nat);
  void set_local_subnets(std::vector<Prefix> subnets) {
    filter_.set_local_subnets(std::move(subnets));
  }
  void set_udp_blocked(bool blocked) { udp_blocked_ = blocked; }
  // Of the outgoing interface; counts for paths found from now on.
  void set_interface_mtu(std::size_t bytes) { config_.mtu_bytes = bytes; }
  // From tables D and E; host candidates in it are ignored (they go end to end only).
  void set_remote_candidates(Instant now, const std::vector<Candidate>& remote);
  // Relays that work now, best first.
  void set_relays(Instant now, const std::vector<Relay>& relays);
  void relay_lost(Instant now, PathId path);
  // Interfaces changed: what was proven is in doubt, everything is tried again.
  void network_changed(Instant now);
  // Full-size packets on `endpoint` do not get through (EMSGSIZE, packet too big, silence).
  void packet_too_large(Instant now, PathId path, const Endpoint& endpoint, std::size_t mtu_bytes);

  // --- traffic
  // Data is about to be sent to this peer. Cheap; starts an introduction when one is due.
  void want_direct(Instant now);
  // Data was sent there.
  void handle_sent(Instant now, PathId path, const Endpoint& to);
  // Any packet of the session was authenticated. One from an address that is not known never moves
  // the selection by itself: it is probed; only with no other path at all is it used meanwhile.
  void handle_authenticated(Instant now, PathId path, const Endpoint& from);

  // --- frames of the peer, bodies only. A Drop: nothing changed.
  Result<void, Drop> handle_call_me_maybe(Instant now, ConstBytes body);
  // `size`: bytes of the datagram it came in.
  Result<void, Drop> handle_probe(Instant now, PathId path, const Endpoint& from, ConstBytes body,
                                  std::size_t size);
  Result<void, Drop> handle_probe_answer(Instant now, PathId path, const Endpoint& from,
                                         ConstBytes body);

  void handle_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Event> poll_event();
  std::optional<Instant> next_timeout() const;

  // --- queries
  const std::optional<Selected>& selected() const { return selected_; }
  PathKind kind() const { return selected_ ? selected_->kind : PathKind::kNone; }
  Reason reason() const { return reason_; }
  // Of the selected path, smoothed.
  std::optional<Nanoseconds> rtt() const;
  // Of the selected path, 0..1, by its last probes. nullopt: too few of them.
  std::optional<double> loss() const;
  // The largest IP packet that the selected path is known to carry.
  std::size_t mtu_bytes() const;
  // The largest inner packet that the selected path carries in one piece.
  std::size_t inner_mtu_bytes() const;
  // That was found out, and is not just assumed.
  bool mtu_is_settled() const;
  std::vector<Attempt> attempts() const;
  const stun::NatClass& remote_nat() const { return remote_nat_; }

 private:
  enum class Timer { kCall, kEnd, kRetry, kIdle, kCount };
  // One try to get direct, ours or the peer's (agent_introduction.cc).
  struct Introduction {
    bool running = false;
    bool primed = false;  // our NAT is open toward what we know of the peer
    bool heard = false;   // the peer called or probed: its NAT is open
    bool reply_due = false;
    bool called = false;   // we called
    bool refused = false;  // the budget said no
    int calls_left = 0;
    std::size_t packets = 0;
    std::size_t bytes = 0;
  };

  // agent_introduction.cc, in the order of the flow
  void consider_introduction(Instant now);
  void start_introduction(Instant now);
  void open_introduction(Instant now);
  void merge_candidates(Instant now);
  void prime_all(Instant now);
  void prime(Instant now, Pair& pair);
  void call(Instant now);
  void send_call(bool reply);
  void note_far_side_open(Instant now);
  void end_introduction(Instant now);
  void restate_candidates(Instant now);
  bool tries_without_call(const Pair& pair) const;
  bool spend(Instant now, const Pair& pair);
  std::vector<std::uint8_t> prime_ttls() const;
  std::vector<Candidate> callable_candidates() const;

  // agent.cc
  Pair* find_pair(const Endpoint& remote);
  const Pair* find_pair(const Endpoint& remote) const;
  const Prober* selected_prober() const;
  const RelayPath* selected_relay() const;
  const MtuSearch* selected_mtu() const;
  RelayPath* find_relay(PathId path);
  Pair* add_pair(Instant now, const Candidate& candidate);
  // True: the selected path died.
  bool service_pair(Instant now, Pair& pair);
  void leave_dead_path(Instant now);
  void service_relay(Instant now, RelayPath& relay);
  void send_probe(Instant now, Pair& pair, std::size_t mtu_bytes, std::uint8_t ttl = 0);
  std::size_t overhead_to(const Endpoint& to) const;
  static std::size_t probe_padding(std::size_t overhead_bytes, std::size_t mtu_bytes);
  void peer_left_direct(Instant now);
  Pair::Use use_of(const Pair& pair) const;
  RelayPath::Use use_of(const RelayPath& relay) const;
  bool in_use() const;
  void note_used(Instant now);
  void raise(Event event);

  // agent_selection.cc
  void reselect(Instant now);
  void select(Instant now, const std::optional<Selected>& next);
  const Pair* best_pair(Instant now) const;
  const RelayPath* best_relay() const;
  bool is_better(Instant now, const Pair& challenger, const Pair& current) const;
  void refresh_reason();
  Reason find_reason() const;
  Reason reason_of_failure() const;
  Attempt attempt_of(const Pair& pair) const;
  Attempt attempt_of(const RelayPath& relay) const;

  Config config_;
  ProbeBudget& budget_;
  Rng rng_;
  CandidateFilter filter_;
  stun::NatClass own_nat_;
  stun::NatClass remote_nat_;
  bool udp_blocked_ = false;
  std::vector<Candidate> table_candidates_;   // from the tables, filtered
  std::vector<Candidate> called_candidates_;  // from the last call-me-maybe, filtered
  std::vector<Pair> pairs_;                   // at most kPairsMax, one per remote endpoint
  std::vector<RelayPath> relays_;             // at most kRelaysMax, one per path id
  Introduction introduction_;
  std::size_t failures_ = 0;            // introductions in a row without a direct path
  Reason failure_ = Reason::kNoAnswer;  // of the last of them
  RateCap<kSilentProbesPerMinute> silent_probes_{60s};
  Timers<Timer> timers_;
  // Idle for too long: probes are answered, but not returned, or two idle nodes would keep each
  // other up for ever.
  bool asleep_ = false;
  std::optional<Selected> selected_;
  Instant switched_at_;  // between direct paths
  Reason reason_ = Reason::kIdle;
  Instant now_;           // of the last call: what in_use() is about
  Instant wanted_until_;  // introductions are repeated while traffic wants them
  std::optional<Instant> used_at_;
  OutgoingQueue outgoing_;
  std::deque<Event> events_;
  // Transactions of call-me-maybes and (mixed with the sequence) of probes that were taken.
  std::array<std::uint64_t, 8> seen_calls_{};
  std::array<std::uint64_t, 64> seen_probes_{};
  std::size_t next_seen_call_ = 0;
  std::size_t next_seen_probe_ = 0;
};
static_assert(TimedCore<Agent>);

}  // namespace ginnel::path
