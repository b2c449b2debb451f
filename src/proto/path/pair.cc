#include "proto/path/pair.h"

#include "base/timers.h"

namespace ginnel::path {

void Pair::become(PairState state, Instant now) {
  if (state == state_) return;
  state_ = state;
  since_ = now;
  next_probe_.reset();
  if (state == PairState::kProven) {
    prober_.forget_loss();
  } else {
    mtu_.stop();
  }
}

void Pair::begin_introduction(Instant now) {
  if (state_ == PairState::kProven || state_ == PairState::kDead) return;
  become(PairState::kWaiting, now);
  packets_ = 0;
  heard_ = false;
  died_ = false;
}

void Pair::begin_probing(Instant now) {
  if (state_ != PairState::kWaiting && state_ != PairState::kFailed) return;
  if (packets_ >= packets_max()) return;
  become(PairState::kProbing, now);
  pacing_ = kPacing;
  next_probe_ = now;
}

int Pair::packets_max() const {
  if (heard_) return kHeardPacketsMax;
  const bool far_private = options_.kind == CandidateKind::kHost &&
                           options_.path_kind != PathKind::kLan &&
                           options_.remote.address.is_private();
  return far_private ? kFarPrivatePacketsMax : kPacketsMax;
}

// The first packet from a pair that is not proven yet makes its next probe due at once: whatever
// kept ours from arriving is likely gone (RFC 8445 section 7.3.1.4, triggered checks).
void Pair::note_received(Instant now, bool awake) {
  liveness_.note_received(now);
  if (state_ == PairState::kProven || !awake) return;
  if (state_ == PairState::kDead) {
    if (now - last_probe_ >= kCheckEvery) next_probe_ = now;
    return;
  }
  const bool first = !heard_;
  heard_ = true;
  if (state_ == PairState::kProbing && first) {
    next_probe_ = now;
  } else {
    begin_probing(now);
  }
}

std::uint32_t Pair::note_primed(Instant now) {
  ++packets_;
  return prober_.begin(now, 0);
}

std::uint32_t Pair::note_probe(Instant now, std::size_t mtu_bytes) {
  last_probe_ = now;
  probed_ = true;
  if (state_ == PairState::kProbing) {
    ++packets_;
    const bool more = packets_ < packets_max();
    next_probe_ = now + (more ? pacing_ : kAnswerWait);
    pacing_ *= 2;
  } else {
    next_probe_.reset();
    if (state_ == PairState::kProven && mtu_bytes == 0) liveness_.note_sent(now);
  }
  return prober_.begin(now, mtu_bytes);
}

bool Pair::take_answer(Instant now, std::uint64_t transaction, std::uint32_t sequence) {
  const auto answered = prober_.take_answer(now, transaction, sequence);
  if (!answered) return false;
  liveness_.note_received(now);
  if (answered->mtu_bytes != 0) mtu_.note_answered(now, answered->mtu_bytes);
  become(PairState::kProven, now);
  died_ = false;
  return true;
}

void Pair::die(Instant now) {
  become(PairState::kDead, now);
  died_ = true;
  next_probe_ = now;
}

void Pair::forget(Instant now) {
  become(PairState::kWaiting, now);
  died_ = false;
}

void Pair::doubt(Instant now) {
  if (state_ != PairState::kProven) return;
  liveness_.doubt(now);
  next_probe_ = now;
}

void Pair::promise(CandidateKind kind, PathKind path_kind) {
  if (options_.kind != CandidateKind::kPeerReflexive && kind <= options_.kind) return;
  options_.kind = kind;
  options_.path_kind = path_kind;
}

std::optional<Instant> Pair::next_timeout(const Use& use) const {
  auto out = probe_due(use);
  if (state_ == PairState::kProven) out = earlier(out, liveness_.dies_at(rtt()));
  if (state_ == PairState::kProven && use.selected) out = earlier(out, mtu_.next());
  if (state_ == PairState::kDead) out = earlier(out, since_ + kDeadProbesFor);
  return out;
}

std::optional<Instant> Pair::probe_due(const Use& use) const {
  switch (state_) {
    case PairState::kProbing:
      return next_probe_;
    case PairState::kDead:
      return next_probe_ ? *next_probe_ : last_probe_ + kDeadProbeEvery;
    case PairState::kProven:
      if (!use.selected && !use.in_use && !liveness_.unanswered_since()) return std::nullopt;
      return proven_probe_due(use);
    case PairState::kWaiting:
    case PairState::kFailed:
      break;
  }
  return std::nullopt;
}

// A path that was sent to and is silent is asked: first after kFirstCheckAfter, then every
// kCheckEvery, and no more often than its round trip takes. One that speaks is asked when it was
// silent for a heartbeat (keepalive when idle), and now and then for its round trip time.
Instant Pair::proven_probe_due(const Use& use) const {
  if (next_probe_) return *next_probe_;
  const Nanoseconds patience = rtt().value_or(0ns) * 3 / 2;
  if (const auto since = liveness_.unanswered_since()) {
    if (liveness_.is_doubted()) return last_probe_ + kDoubtedCheckEvery;
    const bool asked = last_probe_ > *since;
    return asked ? last_probe_ + std::max(kCheckEvery, patience)
                 : *since + std::max(kFirstCheckAfter, patience);
  }
  const Instant heard = liveness_.received().value_or(since_);
  if (!use.selected) return last_probe_ + kSpareProbeEvery;
  if (!use.in_use) return heard + use.keepalive;
  return std::min(heard + use.heartbeat, last_probe_ + kRttProbeEvery);
}

std::optional<Pair::Due> Pair::take_due(Instant now, const Use& use) {
  if (state_ == PairState::kProven) {
    const auto dies = liveness_.dies_at(rtt());
    if (dies && *dies <= now) {
      die(now);
      if (use.selected) return Due{Action::kDied};
      become(PairState::kFailed, now);  // a spare one is not worth asking for minutes
      return Due{Action::kFailed};
    }
    const auto size = use.selected ? mtu_.take_due(now, rtt()) : std::nullopt;
    if (size) return Due{Action::kProbe, *size};
  }
  if (state_ == PairState::kDead && now - since_ >= kDeadProbesFor) {
    become(PairState::kFailed, now);
    return Due{Action::kFailed};
  }
  const auto due = probe_due(use);
  if (!due || *due > now) return std::nullopt;
  if (state_ == PairState::kProbing && packets_ >= packets_max()) {
    become(PairState::kFailed, now);
    return Due{Action::kFailed};
  }
  return Due{Action::kProbe};
}

}  // namespace ginnel::path
