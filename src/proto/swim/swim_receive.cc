// Datagrams: from their bytes to what they change.
#include "proto/swim/swim.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim {

struct Swim::Received {
  Swim& swim;
  Instant now;
  PathId path;
  Endpoint from;
  void on_message(MessageType type, ConstBytes body) {
    swim.handle_message(now, path, from, type, body);
  }
  void on_drop(Drop why) { swim.count(why); }
};

void Swim::handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes datagram) {
  ByteVector scratch;
  const auto message = framer_.open_datagram(datagram, scratch);
  if (!message) return count(message.error());
  Received received{*this, now, path, from};
  Unfolder(received).unfold(*message);
  arm_gossip(now);
}

void Swim::handle_message(Instant now, PathId path, const Endpoint& from, MessageType type,
                          ConstBytes body) {
  const auto with = [&](const auto& parsed, auto&& handle) {
    if (parsed) handle(*parsed);
    else count(parsed.error());
  };
  switch (type) {
    case MessageType::kPing:
      return with(Ping::parse(body), [&](const Ping& m) { handle_ping(path, from, m); });
    case MessageType::kIndirectPing:
      return with(IndirectPing::parse(body),
                  [&](const IndirectPing& m) { handle_indirect_ping(now, path, from, m); });
    case MessageType::kAck:
      return with(Ack::parse(body), [&](const Ack& m) { handle_ack(now, m); });
    case MessageType::kNack:
      return with(Nack::parse(body), [&](const Nack& m) { handle_nack(m); });
    case MessageType::kAlive:
      return with(Alive::parse(body), [&](const Alive& m) { handle_alive(now, m); });
    case MessageType::kSuspect:
      return with(Suspect::parse(body),
                  [&](const Suspect& m) { members_.apply(now, m, Reason::kGossip); });
    case MessageType::kDead:
      return with(Dead::parse(body), [&](const Dead& m) { members_.apply(now, m); });
    case MessageType::kUser:
      events_.push_back(UserMessage{to_vector(body), false, from});
      return;
    default: return count(Drop::kUnknownType);
  }
}

// memberlist answers where the ping says. Deviation: when that is not where it came from (a NAT, or
// the wrong one of two addresses), it is answered there too.
void Swim::handle_ping(PathId path, const Endpoint& from, const Ping& ping) {
  if (members_.is_silent()) return;
  const bool for_us = ping.node.empty() ? !config_.require_node_names : ping.node == config_.name;
  if (!for_us) return count(Drop::kNotForUs);
  const ConstBytes payload = ack_payload_ ? ConstBytes(*ack_payload_) : ConstBytes();
  const ByteVector ack = encode(Ack{ping.seq, payload});
  const bool says_where = !ping.source.address.is_unspecified() && ping.source.port != 0;
  if (says_where) send(path, ping.source, ack);
  if (!says_where || ping.source != from) send(path, from, ack);
}

void Swim::handle_indirect_ping(Instant now, PathId path, const Endpoint& from,
                                const IndirectPing& ping) {
  if (ping.target.address.is_unspecified()) return count(Drop::kBadAddress);
  Endpoint target = ping.target;
  if (target.port == 0) target.port = config_.advertise.port;
  const bool says_where = !ping.source.address.is_unspecified() && ping.source.port != 0;
  const Relay relay{path, says_where ? ping.source : from, ping.seq, ping.nack};
  const SequenceNumber seq = next_seq();
  // Lifeguard's paper: the nack goes at 80 % of the timeout; memberlist waits for all of it.
  const Nanoseconds wait = config_.early_nack ? config_.probe_timeout * 4 / 5
                                              : config_.probe_timeout;
  if (!await(now, seq, wait, {now, relay})) return;
  send(kSocket, target, encode(make_ping(seq, ping.node)));
}

void Swim::handle_ack(Instant now, const Ack& ack) {
  if (probe_ && probe_->seq == ack.seq) {
    if (!ack.payload.empty()) {
      events_.push_back(AckPayload{probe_->target, now - probe_->start, to_vector(ack.payload)});
    }
    return end_probe(now, true);
  }
  const auto it = awaited_.find(ack.seq.value());
  if (it == awaited_.end()) return count(Drop::kUnmatched);
  const Awaited awaited = std::move(it->second);
  awaited_.erase(it);
  awaited_deadlines_.stop(ack.seq.value());
  answered(now, awaited, ack);
}

void Swim::handle_nack(const Nack& nack) {
  if (probe_ && probe_->seq == nack.seq) ++probe_->nacks;
  else count(Drop::kUnmatched);
}

void Swim::handle_alive(Instant now, const Alive& alive) {
  if (!admits(alive.node, alive.endpoint)) return count(Drop::kNotAdmitted);
  if (!config_.ask_alive || alive.node == config_.name) return apply_alive(now, alive);
  const Member* known = members_.table().find(alive.node);
  const bool stale = known != nullptr && !known->retired && known->state != State::kLeft &&
                     alive.incarnation <= known->incarnation;
  if (stale) return;
  if (asked_alive_.size() == kAsksMax) return count(Drop::kQueueFull);
  const AskId id(++asks_made_);
  asked_alive_.emplace(id, OwnedAlive(alive));
  MemberInfo info{.name = std::string(alive.node), .endpoint = alive.endpoint,
                  .incarnation = alive.incarnation, .meta = to_vector(alive.meta),
                  .vsn = alive.vsn, .since = now};
  events_.push_back(AskAlive{id, std::move(info)});
}

void Swim::answer_alive(Instant now, AskId id, bool accept) {
  const auto it = asked_alive_.find(id);
  if (it == asked_alive_.end()) return;
  const OwnedAlive alive = std::move(it->second);
  asked_alive_.erase(it);
  if (accept) apply_alive(now, alive.view());
  arm_gossip(now);
}

void Swim::apply_alive(Instant now, const Alive& alive) {
  if (members_.apply(now, alive) == Membership::Outcome::kDisputed) check_move(now, alive);
}

// A name is said to have moved: it has, unless its old address still answers to it.
void Swim::check_move(Instant now, const Alive& alive) {
  for (const auto& [seq, awaited] : awaited_) {
    const auto* check = std::get_if<MoveCheck>(&awaited.purpose);
    if (check != nullptr && check->claim.node == alive.node) return;
  }
  const SequenceNumber seq = next_seq();
  const Member* member = members_.table().find(alive.node);
  if (!await(now, seq, config_.probe_timeout, {now, MoveCheck{OwnedAlive(alive)}})) return;
  send(kSocket, member->endpoint, encode(make_ping(seq, alive.node)));
}

}  // namespace ginnel::swim
