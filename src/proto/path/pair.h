// One direct way to a peer: our socket and one remote endpoint (a candidate pair, RFC 8445; with
// one socket the remote endpoint names it).
//
//              begin_probing                     answer to an own probe
//   kWaiting ----------------> kProbing ------------------------------------> kProven
//      ^                          |  packets used up, no answer                  |   ^
//      | a new introduction       v                    sent to, and silent       |   | answer
//      +----------------------- kFailed <--- kDead <-----------------------------+   |
//                                  |  2 min    |                                     |
//                                  +-----------+-------------------------------------+
//
// The agent owns the budget and the queue; a pair says when it is due and what for. Never
// allocates.
#pragma once
#include "proto/path/candidate.h"
#include "proto/path/liveness.h"
#include "proto/path/mtu_search.h"
#include "proto/path/prober.h"
#include "proto/path/reason.h"

namespace ginnel::path {

enum class PairState : std::uint8_t { kWaiting, kProbing, kProven, kFailed, kDead };

class Pair {
 public:
  // At most five packets to a candidate that does not answer, per introduction.
  static constexpr int kPacketsMax = 5;
  // A far private address seldom answers and may be anybody's: two will do.
  static constexpr int kFarPrivatePacketsMax = 2;
  // Once an authenticated packet came from there it is no stranger.
  static constexpr int kHeardPacketsMax = 10;
  // 20 ms between the first probes, doubling.
  static constexpr Nanoseconds kPacing = 20ms;
  // After the last probe: its answer may still come.
  static constexpr Nanoseconds kAnswerWait = 500ms;
  // A silent path is asked twice or thrice before it is given up.
  static constexpr Nanoseconds kFirstCheckAfter = 500ms;
  static constexpr Nanoseconds kCheckEvery = 200ms;
  static constexpr Nanoseconds kDoubtedCheckEvery = 100ms;
  // How often a dead path is tried, so that it is back within 5 s, and for how long.
  static constexpr Nanoseconds kDeadProbeEvery = 2s;
  static constexpr Nanoseconds kDeadProbesFor = 120s;
  // Proven paths that carry nothing: measured now and then while the peer is in use.
  static constexpr Nanoseconds kSpareProbeEvery = 10s;
  static constexpr Nanoseconds kRttProbeEvery = 2s;

  struct Options {
    Endpoint remote;
    CandidateKind kind = CandidateKind::kHost;
    PathKind path_kind = PathKind::kPunched;
    std::size_t mtu_bytes = 1500;
    std::uint64_t transaction = 0;
  };
  // What the agent knows and a pair needs to tell when it is due.
  struct Use {
    bool selected = false;
    bool in_use = false;
    Nanoseconds heartbeat{1s};
    Nanoseconds keepalive{15s};
  };
  enum class Action : std::uint8_t { kProbe, kDied, kFailed };
  struct Due {
    Action action = Action::kProbe;
    std::size_t mtu_bytes = 0;  // pad the probe to this size; 0: a small one
  };

  Pair(Instant now, const Options& options)
      : options_(options), prober_(options.transaction), mtu_(options.mtu_bytes), since_(now) {}

  // --- what happens to it
  void begin_introduction(Instant now);  // unproven ones start over
  void begin_probing(Instant now);       // full TTL from now on; no effect on proven ones
  // A packet of low TTL went out. Should it arrive after all, its answer counts. Its sequence.
  std::uint32_t note_primed(Instant now);
  // An authenticated packet came from there. `awake`: probe back if it is not proven.
  void note_received(Instant now, bool awake);
  void note_data_sent(Instant now) { liveness_.note_sent(now); }
  // A probe went out (or would have, but for the budget). Returns its sequence.
  std::uint32_t note_probe(Instant now, std::size_t mtu_bytes);
  // True: an answer to a probe of ours; the pair is proven.
  bool take_answer(Instant now, std::uint64_t transaction, std::uint32_t sequence);
  void die(Instant now);
  void forget(Instant now);  // back to kWaiting: idle for too long
  void doubt(Instant now);
  void promise(CandidateKind kind, PathKind path_kind);  // the peer lists this endpoint itself

  // --- what it wants
  std::optional<Instant> next_timeout(const Use& use) const;
  // What to do now; nullopt: nothing yet. kDied and kFailed have already changed the state.
  std::optional<Due> take_due(Instant now, const Use& use);

  // --- queries
  PairState state() const { return state_; }
  Instant since() const { return since_; }
  const Endpoint& remote() const { return options_.remote; }
  CandidateKind kind() const { return options_.kind; }
  PathKind path_kind() const { return options_.path_kind; }
  std::uint64_t transaction() const { return prober_.transaction(); }
  std::optional<Nanoseconds> rtt() const { return prober_.rtt(); }
  const Prober& prober() const { return prober_; }
  std::optional<Instant> received() const { return liveness_.received(); }
  bool is_proven() const { return state_ == PairState::kProven; }
  bool was_heard() const { return heard_; }
  bool has_died() const { return died_; }
  int packets() const { return packets_; }
  int packets_max() const;
  MtuSearch& mtu() { return mtu_; }
  const MtuSearch& mtu() const { return mtu_; }

 private:
  void become(PairState state, Instant now);
  std::optional<Instant> probe_due(const Use& use) const;
  Instant proven_probe_due(const Use& use) const;

  Options options_;
  Prober prober_;
  Liveness liveness_;
  MtuSearch mtu_;
  PairState state_ = PairState::kWaiting;
  Instant since_;       // when state_ was entered
  Instant last_probe_;  // meaningful once probed_
  bool probed_ = false;
  bool heard_ = false;  // in this introduction
  bool died_ = false;   // the last thing that happened to a proven path
  int packets_ = 0;     // of this introduction, primers included
  Nanoseconds pacing_{kPacing};
  std::optional<Instant> next_probe_;  // kProbing: always; proven and dead: asked for out of turn
};

}  // namespace ginnel::path
