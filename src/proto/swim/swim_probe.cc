// One probe round (memberlist state.go, probeNode):
//   1. ping the next member of the shuffled list
//   2. no ack within probe_timeout: ask indirect_checks others to ping it, and dial it
//   3. still none at the end of the (scaled) probe_interval: suspect it
// and the other pings that wait for an answer.
#include "base/assert.h"
#include "proto/swim/swim.h"

namespace ginnel::swim {

Ping Swim::make_ping(SequenceNumber seq, std::string_view node) const {
  return {.seq = seq, .node = node, .source = config_.advertise, .source_node = config_.name};
}

void Swim::start_probe(Instant now) {
  while (probe_tick_ <= now) probe_tick_ = probe_tick_ + config_.probe_interval;
  timers_.set(Timer::kProbe, probe_tick_);
  if (probe_) {
    tick_missed_ = true;  // as in a Go ticker, one waits and the rest are lost
    return;
  }
  if (Member* target = next_target(now)) send_probe(now, *target);
}

Member* Swim::next_target(Instant now) {
  MemberTable& table = members_.table();
  for (std::size_t tried = 0; tried <= table.active_count(); ++tried) {
    if (probe_index_ >= table.order().size()) {
      members_.start_round(now);
      probe_index_ = 0;
      continue;
    }
    Member* member = table.order()[probe_index_++];
    if (!members_.is_self(*member) && !member->is_gone() && reaches(*member)) return member;
  }
  return nullptr;
}

void Swim::send_probe(Instant now, Member& target) {
  const Awareness& awareness = members_.awareness();
  const Nanoseconds timeout = config_.scale_probe_timeout ? awareness.scaled(config_.probe_timeout)
                                                          : config_.probe_timeout;
  probe_ = ProbeRound{.target = target.name, .seq = next_seq(), .start = now,
                      .end = now + awareness.scaled(config_.probe_interval)};
  timers_.set(Timer::kAckTimeout, now + timeout);
  timers_.set(Timer::kProbeEnd, probe_->end);
  ByteVector ping = encode(make_ping(probe_->seq, target.name));
  if (target.state == State::kAlive || !config_.buddy_system) {
    return send(kSocket, target.endpoint, std::move(ping));
  }
  // Lifeguard section IV-C: a suspect hears of it with its next ping, and can refute.
  std::vector<ByteVector> both;
  both.push_back(std::move(ping));
  both.push_back(encode(Suspect{target.incarnation, target.name, config_.name}));
  send_packet(kSocket, target.endpoint, std::move(both), seal_for(target));
}

void Swim::ask_others(Instant now) {
  if (!probe_) return;
  const Member* target = members_.table().find(probe_->target);
  if (target == nullptr) return;
  const auto others = members_.table().random(config_.indirect_checks, [&](const Member& m) {
    return &m != target && !members_.is_self(m) && m.state == State::kAlive && reaches(m);
  });
  for (const Member* other : others) {
    const bool nack = other->vsn.can_nack();
    if (nack) ++probe_->nacks_expected;
    send(kSocket, other->endpoint,
         encode(IndirectPing{.seq = probe_->seq, .target = target->endpoint, .node = target->name,
                             .nack = nack, .source = config_.advertise,
                             .source_node = config_.name}));
  }
  if (config_.disable_tcp_pings || !target->vsn.can_tcp_ping()) return;
  const auto stream = open_stream(now, target->endpoint,
                                  encode(make_ping(probe_->seq, target->name)),
                                  StreamPing{probe_->seq}, seal_for(*target).encryption_version);
  if (stream) stream_deadlines_.set(*stream, probe_->end);
}

void Swim::fail_probe(Instant now) {
  if (!probe_) return;
  if (probe_->stream_answered) return end_probe(now, true);
  // memberlist: helpers that do not even send a nack tell us that the fault is ours.
  const ProbeRound round = *probe_;
  const std::size_t silent = round.nacks_expected - std::min(round.nacks, round.nacks_expected);
  members_.awareness().apply(round.nacks_expected > 0 ? static_cast<int>(silent) : 1);
  if (Member* target = members_.table().find(round.target)) members_.accuse(now, *target);
  end_probe(now, false);
}

void Swim::end_probe(Instant now, bool answered) {
  if (answered) members_.awareness().apply(-1);
  probe_.reset();
  timers_.stop(Timer::kAckTimeout);
  timers_.stop(Timer::kProbeEnd);
  // The tick that came meanwhile counts now: through the timer, so that rounds never nest.
  if (tick_missed_) timers_.set(Timer::kProbe, now);
  tick_missed_ = false;
}

bool Swim::await(Instant now, SequenceNumber seq, Nanoseconds wait, Awaited awaited) {
  if (awaited_.size() == kAwaitedMax) {
    count(Drop::kQueueFull);
    return false;
  }
  awaited_.insert_or_assign(seq.value(), std::move(awaited));
  awaited_deadlines_.set(seq.value(), now + wait);
  return true;
}

void Swim::answered(Instant now, const Awaited& awaited, const Ack& ack) {
  if (const auto* relay = std::get_if<Relay>(&awaited.purpose)) {
    send(relay->path, relay->asker, encode(Ack{relay->asker_seq, {}}));
  } else if (const auto* check = std::get_if<MoveCheck>(&awaited.purpose)) {
    const Member* member = members_.table().find(check->claim.node);
    if (member != nullptr) events_.push_back(Conflict{member->info(), check->claim.endpoint});
  } else if (const auto* ping = std::get_if<AppPing>(&awaited.purpose)) {
    if (!ack.payload.empty()) {
      events_.push_back(AckPayload{ping->name, now - awaited.start, to_vector(ack.payload)});
    }
    events_.push_back(PingDone{ping->name, now - awaited.start});
  }
}

void Swim::expired(Instant now, SequenceNumber, const Awaited& awaited) {
  if (const auto* relay = std::get_if<Relay>(&awaited.purpose)) {
    if (relay->nack) send(relay->path, relay->asker, encode(Nack{relay->asker_seq}));
  } else if (const auto* check = std::get_if<MoveCheck>(&awaited.purpose)) {
    members_.apply(now, check->claim.view(), {.move_proved = true});
  } else if (const auto* ping = std::get_if<AppPing>(&awaited.purpose)) {
    events_.push_back(PingDone{ping->name, std::nullopt});
  }
}

Result<void, Drop> Swim::ping(Instant now, std::string_view name) {
  const Member* member = members_.table().find(name);
  if (member == nullptr) return Fail(Drop::kUnknownMember);
  const SequenceNumber seq = next_seq();
  if (!await(now, seq, config_.probe_timeout, {now, AppPing{std::string(name)}})) {
    return Fail(Drop::kQueueFull);
  }
  send(kSocket, member->endpoint, encode(make_ping(seq, name)));
  return {};
}

}  // namespace ginnel::swim
