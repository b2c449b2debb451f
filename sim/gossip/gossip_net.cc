#include "sim/gossip/gossip_net.h"

#include <charconv>

#include "base/assert.h"
#include "proto/swim/limits.h"

namespace ginnel::sim {
namespace {

constexpr std::uint32_t kFirstAddress = 0x0a000001;  // 10.0.0.1

std::string name_of(std::uint32_t i) { return "n" + std::to_string(i); }

std::uint32_t number_of(std::string_view name) {
  std::uint32_t out = 0;
  const auto read = std::from_chars(name.data() + 1, name.data() + name.size(), out);
  GINNEL_ASSERT(read.ec == std::errc());
  return out;
}

}  // namespace

GossipNet::GossipNet(const Options& options)
    : options_(options), rng_(Rng::from_seed(options.seed)), buffer_(swim::kDatagramBytesMax) {}

Endpoint GossipNet::endpoint_of(std::uint32_t i) {
  return {Address::v4(kFirstAddress + i), swim::kDefaultPort};
}

std::optional<std::uint32_t> GossipNet::member_at(const Endpoint& endpoint) {
  const auto& b = endpoint.address.bytes;
  const std::uint32_t v4 = std::uint32_t{b[12]} << 24 | std::uint32_t{b[13]} << 16 |
                           std::uint32_t{b[14]} << 8 | std::uint32_t{b[15]};
  return v4 < kFirstAddress ? std::nullopt : std::optional(v4 - kFirstAddress);
}

std::uint32_t GossipNet::add(swim::Config config) {
  const std::uint32_t i = size();
  config.name = name_of(i);
  config.advertise = endpoint_of(i);
  nodes_.push_back(std::make_unique<Node>(config, rng_.fork(config.name)));
  nodes_[i]->swim.start(now_);
  drain_node(i);
  return i;
}

void GossipNet::join(std::uint32_t member, std::uint32_t via) {
  nodes_[member]->swim.join(now_, endpoint_of(via));
  drain_node(member);
}

void GossipNet::kill(std::uint32_t member) { nodes_[member]->killed = true; }

void GossipNet::stall(std::uint32_t member, Nanoseconds duration) { hold(member, duration, false); }
void GossipNet::block(std::uint32_t member, Nanoseconds duration) { hold(member, duration, true); }

void GossipNet::hold(std::uint32_t member, Nanoseconds duration, bool timers_run) {
  Node& node = *nodes_[member];
  GINNEL_ASSERT(!node.until);
  node.until = now_ + duration;
  node.timers_run = timers_run;
  queue_.add(*node.until, EventKind::kCall, member);
}

void GossipNet::release(std::uint32_t member) {
  Node& node = *nodes_[member];
  node.until.reset();
  if (node.killed) return;
  for (Packet& packet : std::exchange(node.out, {})) send(std::move(packet), options_.delay_min);
  node.wake.reset();
  if (const auto due = node.swim.next_timeout(); due && *due <= now_)
    node.swim.handle_timeout(now_);
  drain_node(member);
  for (Packet& packet : std::exchange(node.in, {})) handle(std::move(packet));
}

void GossipNet::run_until(Instant end) {
  while (!queue_.empty() && queue_.next_at() <= end) {
    const sim::Event event = queue_.take();
    now_ = event.at;
    switch (event.kind) {
      case EventKind::kWake:
        wake(event.subject);
        break;
      case EventKind::kCall:
        release(event.subject);
        break;
      case EventKind::kPacket:
        free_packets_.push_back(event.subject);
        arrive(std::move(packets_[event.subject]));
        break;
    }
  }
  now_ = end;
}

bool GossipNet::all_see(std::size_t alive) const {
  return std::ranges::all_of(
      nodes_, [&](const auto& node) { return node->killed || node->swim.alive_count() == alive; });
}

void GossipNet::wake(std::uint32_t member) {
  Node& node = *nodes_[member];
  if (node.wake != now_) return;  // another was set meanwhile
  node.wake.reset();
  if (node.killed || (node.until && !node.timers_run)) return;
  node.swim.handle_timeout(now_);
  drain_node(member);
}

void GossipNet::drain_node(std::uint32_t member) {
  Node& node = *nodes_[member];
  Outbox outbox{*this, member, !node.until};
  const auto next = drain(node.swim, now_, outbox,
                          [&](const swim::Event& event) { handle_event(member, event); });
  if (!next || (node.wake && *node.wake <= *next)) return;
  node.wake = std::max(*next, now_);
  queue_.add(*node.wake, EventKind::kWake, member);
}

void GossipNet::note(std::uint32_t observer, const std::string& name, Note::Kind kind) {
  notes_.push_back({now_, observer, number_of(name), kind});
}

void GossipNet::handle_event(std::uint32_t member, const swim::Event& event) {
  if (const auto* e = std::get_if<swim::Joined>(&event)) {
    return note(member, e->member.name, Note::Kind::kJoined);
  }
  if (const auto* e = std::get_if<swim::Suspected>(&event)) {
    return note(member, e->member.name, Note::Kind::kSuspected);
  }
  if (const auto* e = std::get_if<swim::Cleared>(&event)) {
    return note(member, e->member.name, Note::Kind::kCleared);
  }
  if (const auto* e = std::get_if<swim::Failed>(&event)) {
    return note(member, e->member.name, Note::Kind::kFailed);
  }
  if (const auto* e = std::get_if<swim::StreamOpen>(&event)) {
    const auto to = member_at(e->to);
    ++traffic_.streams;
    if (!to || *to >= size()) return;
    return send_stream(member, {Packet::Kind::kOpen, member, *to, e->stream, {}});
  }
  if (const auto* e = std::get_if<swim::StreamWrite>(&event)) {
    traffic_.stream_bytes += e->bytes.size();
    return send_stream(member, {Packet::Kind::kData, member, member, e->stream, e->bytes});
  }
  if (const auto* e = std::get_if<swim::StreamClose>(&event)) {
    return send_stream(member, {Packet::Kind::kClose, member, member, e->stream, {}});
  }
}

void GossipNet::send_datagram(std::uint32_t from, const Transmit& transmit) {
  ++traffic_.datagrams;
  traffic_.datagram_bytes += transmit.size;
  const auto to = member_at(transmit.to);
  if (!to || *to >= size()) return;
  send({Packet::Kind::kDatagram, from, *to, {}, to_vector(Bytes(buffer_).first(transmit.size))},
       rng_.between(options_.delay_min, options_.delay_max));
}

// All packets of streams take the same time, so they stay in order.
void GossipNet::send_stream(std::uint32_t from, Packet packet) {
  Node& node = *nodes_[from];
  if (node.until)
    node.out.push_back(std::move(packet));
  else
    send(std::move(packet), options_.delay_min);
}

void GossipNet::send(Packet packet, Nanoseconds delay) {
  if (free_packets_.empty()) {
    free_packets_.push_back(static_cast<std::uint32_t>(packets_.size()));
    packets_.emplace_back();
  }
  const std::uint32_t slot = free_packets_.back();
  free_packets_.pop_back();
  packets_[slot] = std::move(packet);
  queue_.add(now_ + delay, EventKind::kPacket, slot);
}

// Only now is it known who has the other end of a stream: its opening has come before.
void GossipNet::arrive(Packet packet) {
  if (packet.kind == Packet::Kind::kData || packet.kind == Packet::Kind::kClose) {
    const auto it = streams_.find({packet.from, packet.stream});
    if (it == streams_.end()) return;
    packet.to = it->second.member;
    packet.stream = it->second.stream;
    if (packet.kind == Packet::Kind::kClose) streams_.erase(it);
  }
  Node& to = *nodes_[packet.to];
  if (to.killed || !passes(packet.from, packet.to)) return;
  if (!to.until) return handle(std::move(packet));
  const bool droppable = packet.kind == Packet::Kind::kDatagram;
  if (!droppable || to.in.size() < kWaitingMax) to.in.push_back(std::move(packet));
}

void GossipNet::handle(Packet packet) {
  Node& to = *nodes_[packet.to];
  if (packet.kind == Packet::Kind::kDatagram) {
    to.swim.handle_datagram(now_, kSocket, endpoint_of(packet.from), packet.bytes);
  } else {
    handle_stream(packet);
  }
  drain_node(packet.to);
}

void GossipNet::handle_stream(Packet& packet) {
  swim::Swim& swim = nodes_[packet.to]->swim;
  switch (packet.kind) {
    case Packet::Kind::kOpen: {
      const auto accepted = swim.accept_stream(now_, endpoint_of(packet.from));
      if (!accepted) return;
      streams_[{packet.from, packet.stream}] = {packet.to, *accepted};
      streams_[{packet.to, *accepted}] = {packet.from, packet.stream};
      return;
    }
    case Packet::Kind::kData:
      return swim.handle_stream_data(now_, packet.stream, packet.bytes);
    case Packet::Kind::kClose:
      return swim.handle_stream_closed(now_, packet.stream, swim::StreamEnd::kClosed);
    case Packet::Kind::kDatagram:
      return;
  }
}

}  // namespace ginnel::sim
