// A way to the peer through a relay: never waited for, and the one that is there when nothing else
// works. Its round trip is measured, and its silence noticed, by the same probes as a direct
// path's.
//
// Never allocates.
#pragma once
#include <ginnel/types.h>

#include "base/core.h"
#include "base/timers.h"
#include "proto/path/liveness.h"
#include "proto/path/mtu_search.h"
#include "proto/path/prober.h"

namespace ginnel::path {

// As the node gives it: a hub (and how we reach it) that also reaches the peer.
struct Relay {
  PathId path;          // not kSocket
  Endpoint endpoint;    // of the hub
  bool stream = false;  // over TCP
  // What sealing, the relay header, UDP and IP add to a frame on the way to the hub.
  std::size_t overhead_bytes = 96;
  friend bool operator==(const Relay&, const Relay&) = default;
};

class RelayPath {
 public:
  static constexpr Nanoseconds kProbeEvery = 10s;       // while in use
  static constexpr Nanoseconds kSilentProbeEvery = 2s;  // while silent
  static constexpr Nanoseconds kNominateEvery = 200ms;
  static constexpr int kNominateMax = 5;  // unanswered ones; the peer will notice by itself then

  RelayPath(const Relay& relay, std::size_t mtu_bytes, std::uint64_t transaction)
      : relay_(relay), prober_(transaction), mtu_(mtu_bytes) {}

  const Relay& relay() const { return relay_; }
  PathKind path_kind() const { return relay_.stream ? PathKind::kRelayTcp : PathKind::kRelayUdp; }
  std::optional<Nanoseconds> rtt() const { return prober_.rtt(); }
  const Prober& prober() const { return prober_; }
  std::uint64_t transaction() const { return prober_.transaction(); }
  bool is_silent() const { return silent_; }
  bool is_nominating() const { return nominations_ > 0; }

  void note_data_sent(Instant now) { liveness_.note_sent(now); }
  void note_received(Instant now) {
    liveness_.note_received(now);
    silent_ = false;
  }
  // Tells the peer that our packets take this path now, until it answers.
  void nominate() {
    nominations_ = kNominateMax;
    last_probe_.reset();
  }
  // `mtu_bytes`: the probe is padded to it; 0: a small one.
  std::uint32_t note_probe(Instant now, std::size_t mtu_bytes) {
    if (mtu_bytes == 0) {
      last_probe_ = now;
      liveness_.note_sent(now);
      if (nominations_ > 0) --nominations_;
    }
    return prober_.begin(now, mtu_bytes);
  }
  bool take_answer(Instant now, std::uint64_t transaction, std::uint32_t sequence) {
    const auto answered = prober_.take_answer(now, transaction, sequence);
    if (!answered) return false;
    if (answered->mtu_bytes != 0) mtu_.note_answered(now, answered->mtu_bytes);
    note_received(now);
    nominations_ = 0;
    return true;
  }

  struct Use {
    bool selected = false;
    bool in_use = false;
  };
  std::optional<Instant> next_timeout(const Use& use) const {
    const auto mtu = use.selected && use.in_use ? mtu_.next() : std::nullopt;
    return earlier(earlier(probe_due(use), mtu), silent_ ? std::nullopt : liveness_.dies_at(rtt()));
  }
  MtuSearch& mtu() { return mtu_; }
  const MtuSearch& mtu() const { return mtu_; }
  bool probe_is_due(Instant now, const Use& use) const {
    const auto due = probe_due(use);
    return due && *due <= now;
  }
  // True once, when it was silent for too long.
  bool take_silence(Instant now) {
    const auto dies = liveness_.dies_at(rtt());
    if (silent_ || !dies || *dies > now) return false;
    silent_ = true;
    return true;
  }

 private:
  std::optional<Instant> probe_due(const Use& use) const {
    if (is_nominating()) return last_probe_ ? *last_probe_ + kNominateEvery : Instant{};
    if (!use.in_use) return std::nullopt;
    if (!last_probe_) return Instant{};
    if (silent_) return *last_probe_ + kSilentProbeEvery;
    Instant due = *last_probe_ + kProbeEvery;
    const auto since = liveness_.unanswered_since();
    if (use.selected && since) due = std::min(due, std::max(*since, *last_probe_) + 400ms);
    return due;
  }

  Relay relay_;
  Prober prober_;
  Liveness liveness_;
  MtuSearch mtu_;
  std::optional<Instant> last_probe_;
  int nominations_ = 0;
  bool silent_ = false;
};

}  // namespace ginnel::path
