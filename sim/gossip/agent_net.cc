#include "sim/gossip/agent_net.h"

#include "proto/swim/limits.h"

namespace ginnel::sim {
namespace {

constexpr std::uint32_t kFirstAgent = 0x0a000001;  // 10.0.0.1

}  // namespace

AgentNet::AgentNet(const Options& options)
    : options_(options), rng_(Rng::from_seed(options.seed)), buffer_(swim::kDatagramBytesMax) {}

Endpoint AgentNet::endpoint_of(std::uint32_t i) {
  return {Address::v4(kFirstAgent + i), swim::kDefaultPort};
}

std::optional<std::uint32_t> AgentNet::member_at(const Endpoint& endpoint) const {
  const auto& b = endpoint.address.bytes;
  const std::uint32_t v4 = std::uint32_t{b[12]} << 24 | std::uint32_t{b[13]} << 16 |
                           std::uint32_t{b[14]} << 8 | std::uint32_t{b[15]};
  const bool known = v4 >= kFirstAgent && v4 - kFirstAgent < size();
  return known ? std::optional(v4 - kFirstAgent) : std::nullopt;
}

std::uint32_t AgentNet::add(swim::AgentConfig config) {
  const std::uint32_t i = size();
  config.swim.name = "n" + std::to_string(i);
  config.swim.advertise = endpoint_of(i);
  nodes_.push_back(std::make_unique<Node>(config, rng_.fork(config.swim.name)));
  with(i, [&](swim::Agent& agent) { agent.start(now_); });
  return i;
}

void AgentNet::join(std::uint32_t member, std::uint32_t via) {
  with(member, [&](swim::Agent& agent) { agent.join(now_, endpoint_of(via)); });
}

void AgentNet::with(std::uint32_t member, const std::function<void(swim::Agent&)>& work) {
  work(nodes_[member]->agent);
  settle(member);
}

void AgentNet::run_for(Nanoseconds duration) {
  const Instant end = now_ + duration;
  while (!queue_.empty() && queue_.next_at() <= end) {
    const sim::Event event = queue_.take();
    now_ = event.at;
    if (event.kind == EventKind::kWake) {
      wake(event.subject);
      continue;
    }
    free_packets_.push_back(event.subject);
    arrive(std::move(packets_[event.subject]));
  }
  now_ = end;
}

void AgentNet::wake(std::uint32_t member) {
  Node& node = *nodes_[member];
  if (node.wake != now_) return;  // another was set meanwhile
  node.wake.reset();
  with(member, [&](swim::Agent& agent) { agent.handle_timeout(now_); });
}

void AgentNet::settle(std::uint32_t member) {
  Node& node = *nodes_[member];
  Outbox outbox{*this, member};
  const auto next = drain(node.agent, now_, outbox, [&](const swim::AgentEvent& event) {
    handle_event(member, event);
  });
  if (!next || (node.wake && *node.wake <= *next)) return;
  node.wake = std::max(*next, now_);
  queue_.add(*node.wake, EventKind::kWake, member);
}

void AgentNet::handle_event(std::uint32_t member, const swim::AgentEvent& event) {
  const auto* inner = std::get_if<swim::Event>(&event);
  if (inner == nullptr) {
    if (on_event_) on_event_(member, event);
  } else if (const auto* open = std::get_if<swim::StreamOpen>(inner)) {
    const auto to = member_at(open->to);
    if (to) send({Packet::Kind::kOpen, member, *to, open->stream, {}}, options_.delay_min);
  } else if (const auto* write = std::get_if<swim::StreamWrite>(inner)) {
    send({Packet::Kind::kData, member, 0, write->stream, write->bytes}, options_.delay_min);
  } else if (const auto* close = std::get_if<swim::StreamClose>(inner)) {
    send({Packet::Kind::kClose, member, 0, close->stream, {}}, options_.delay_min);
  } else if (on_event_) {
    on_event_(member, event);
  }
}

void AgentNet::send_datagram(std::uint32_t from, const Transmit& transmit) {
  const ConstBytes bytes = Bytes(buffer_).first(transmit.size);
  if (on_datagram_) on_datagram_(bytes);
  const auto to = member_at(transmit.to);
  if (!to || rng_.chance(options_.loss)) return;
  send({Packet::Kind::kDatagram, from, *to, {}, to_vector(bytes)},
       rng_.between(options_.delay_min, options_.delay_max));
}

void AgentNet::send(Packet packet, Nanoseconds delay) {
  if (free_packets_.empty()) {
    free_packets_.push_back(static_cast<std::uint32_t>(packets_.size()));
    packets_.emplace_back();
  }
  const std::uint32_t slot = free_packets_.back();
  free_packets_.pop_back();
  packets_[slot] = std::move(packet);
  queue_.add(now_ + delay, EventKind::kPacket, slot);
}

void AgentNet::arrive(Packet packet) {
  if (packet.kind != Packet::Kind::kDatagram) return arrive_on_stream(packet);
  with(packet.to, [&](swim::Agent& agent) {
    agent.handle_datagram(now_, kSocket, endpoint_of(packet.from), packet.bytes);
  });
}

// Only now is it known who has the other end of a stream: its opening has come before.
void AgentNet::arrive_on_stream(Packet& packet) {
  if (packet.kind == Packet::Kind::kOpen) {
    const auto theirs = nodes_[packet.to]->agent.accept_stream(now_, endpoint_of(packet.from));
    if (theirs) {
      streams_[{packet.from, packet.stream}] = {packet.to, *theirs};
      streams_[{packet.to, *theirs}] = {packet.from, packet.stream};
      return settle(packet.to);
    }
    return with(packet.from, [&](swim::Agent& agent) {
      agent.handle_stream_closed(now_, packet.stream, swim::StreamEnd::kFailed);
    });
  }
  const auto it = streams_.find({packet.from, packet.stream});
  if (it == streams_.end()) return;
  const auto [to, stream] = it->second;
  if (packet.kind == Packet::Kind::kClose) streams_.erase(it);
  with(to, [&, stream = stream](swim::Agent& agent) {
    if (packet.kind == Packet::Kind::kData) {
      agent.handle_stream_data(now_, stream, packet.bytes);
    } else {
      agent.handle_stream_closed(now_, stream, swim::StreamEnd::kClosed);
    }
  });
}

}  // namespace ginnel::sim
