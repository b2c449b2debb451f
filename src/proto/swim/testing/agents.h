// For tests: whole members (Agent) on a network in virtual time where all arrives after a
// millisecond, datagrams and streams alike. For faults see cluster.h, which has plain Swims.
#pragma once
#include <functional>
#include <map>
#include <memory>

#include "base/drain.h"
#include "proto/swim/agent.h"

namespace ginnel::swim::testing {

class Agents {
 public:
  Agents() = default;
  Agents(const Agents&) = delete;  // what is under way points here
  Agents& operator=(const Agents&) = delete;

  static Endpoint endpoint_of(std::size_t i) {
    return {Address::v4(static_cast<std::uint32_t>(0x0a000001 + i)), kDefaultPort};
  }

  // Adds a member named n0, n1, ... at 10.0.0.1, 10.0.0.2, ..., and starts it.
  std::size_t add(AgentConfig config = {}, ConstBytes key = {}) {
    const std::size_t i = nodes_.size();
    if (config.swim.name.empty()) config.swim.name = "n" + std::to_string(i);
    if (config.swim.advertise.port == 0) config.swim.advertise = endpoint_of(i);
    auto node = std::make_unique<Node>(config, rng_.fork(config.swim.name));
    node->at = config.swim.advertise;
    if (!key.empty()) node->agent.keys().install(*crypto::AesKey::from(key)).value();
    nodes_.push_back(std::move(node));
    nodes_[i]->agent.start(now_);
    settle(i);
    return i;
  }
  void join(std::size_t i, std::size_t via) {
    nodes_[i]->agent.join(now_, nodes_[via]->at);
    settle(i);
  }
  Agent& operator[](std::size_t i) { return nodes_[i]->agent; }
  Instant now() const { return now_; }
  void kill(std::size_t i) { nodes_[i]->dead = true; }
  // After a call to operator[].
  void settle(std::size_t i) {
    Node& node = *nodes_[i];
    Box box;
    drain(node.agent, now_, box, [&](AgentEvent event) { handle(i, std::move(event)); });
    for (auto& [to, bytes] : box.out) {
      const auto target = find(to);
      if (!target) continue;
      later([this, from = node.at, t = *target, bytes = std::move(bytes)]() mutable {
        if (nodes_[t]->dead) return;
        nodes_[t]->agent.handle_datagram(now_, kSocket, from, bytes);
        settle(t);
      });
    }
  }
  void run(Nanoseconds duration) {
    const Instant end = now_ + duration;
    for (auto next = next_time(); next && *next <= end; next = next_time()) {
      now_ = std::max(now_, *next);
      if (!queue_.empty() && queue_.begin()->first.first <= now_) {
        auto action = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        action();
        continue;
      }
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i]->dead) continue;
        const auto at = nodes_[i]->agent.next_timeout();
        if (!at || *at > now_) continue;
        nodes_[i]->agent.handle_timeout(now_);
        settle(i);
      }
    }
    now_ = end;
  }

  // The events of one kind that a member told.
  template <class E>
  std::vector<E> told(std::size_t i) const {
    std::vector<E> out;
    for (const AgentEvent& event : nodes_[i]->events) {
      if constexpr (std::is_constructible_v<swim::Event, E>) {
        const auto* inner = std::get_if<swim::Event>(&event);
        const auto* e = inner == nullptr ? nullptr : std::get_if<E>(inner);
        if (e != nullptr) out.push_back(*e);
      } else if constexpr (std::is_constructible_v<serf::SerfEvent, E>) {
        const auto* inner = std::get_if<serf::SerfEvent>(&event);
        const auto* e = inner == nullptr ? nullptr : std::get_if<E>(inner);
        if (e != nullptr) out.push_back(*e);
      } else if (const auto* e = std::get_if<E>(&event)) {
        out.push_back(*e);
      }
    }
    return out;
  }
  std::optional<State> state(std::size_t at, std::size_t of) {
    const auto row = nodes_[at]->agent.member(nodes_[of]->agent.swim().config().name);
    return row ? std::optional(row->state) : std::nullopt;
  }

 private:
  struct Node {
    Node(const AgentConfig& config, Rng rng) : agent(config, std::move(rng)) {}
    Agent agent;
    Endpoint at;
    bool dead = false;
    std::vector<AgentEvent> events;
    std::map<StreamId, std::pair<std::size_t, StreamId>> streams;  // to the other end
  };
  struct Box {  // the Outbox of drain()
    ByteVector bytes = ByteVector(70'000);
    std::vector<std::pair<Endpoint, ByteVector>> out;
    Bytes slot() { return bytes; }
    void commit(const Transmit& t) { out.emplace_back(t.to, to_vector(Bytes(bytes).first(t.size))); }
  };

  std::optional<Instant> next_time() const {
    std::optional<Instant> out;
    if (!queue_.empty()) out = queue_.begin()->first.first;
    for (const auto& node : nodes_) {
      if (!node->dead) out = earlier(out, node->agent.next_timeout());
    }
    return out;
  }
  void later(std::function<void()> action) {
    queue_.emplace(std::pair(now_ + 1ms, ++order_), std::move(action));
  }
  std::optional<std::size_t> find(const Endpoint& to) const {
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      if (nodes_[i]->at == to && !nodes_[i]->dead) return i;
    }
    return std::nullopt;
  }
  void handle(std::size_t i, AgentEvent event) {
    if (const auto* inner = std::get_if<swim::Event>(&event)) {
      if (const auto* open = std::get_if<StreamOpen>(inner)) return open_stream(i, *open);
      if (const auto* write = std::get_if<StreamWrite>(inner)) return write_stream(i, *write);
      if (const auto* close = std::get_if<StreamClose>(inner)) return close_stream(i, *close);
    }
    nodes_[i]->events.push_back(std::move(event));
  }
  void open_stream(std::size_t i, const StreamOpen& open) {
    const auto target = find(open.to);
    later([this, i, target, mine = open.stream] {
      if (!target || nodes_[*target]->dead) {
        nodes_[i]->agent.handle_stream_closed(now_, mine, StreamEnd::kFailed);
        return settle(i);
      }
      const auto theirs = nodes_[*target]->agent.accept_stream(now_, nodes_[i]->at);
      if (!theirs) return;
      nodes_[i]->streams[mine] = {*target, *theirs};
      nodes_[*target]->streams[*theirs] = {i, mine};
    });
  }
  void write_stream(std::size_t i, const StreamWrite& write) {
    later([this, i, write] {
      const auto it = nodes_[i]->streams.find(write.stream);
      if (it == nodes_[i]->streams.end() || nodes_[it->second.first]->dead) return;
      nodes_[it->second.first]->agent.handle_stream_data(now_, it->second.second, write.bytes);
      settle(it->second.first);
    });
  }
  void close_stream(std::size_t i, const StreamClose& close) {
    later([this, i, close] {
      const auto it = nodes_[i]->streams.find(close.stream);
      if (it == nodes_[i]->streams.end() || nodes_[it->second.first]->dead) return;
      nodes_[it->second.first]->agent.handle_stream_closed(now_, it->second.second,
                                                           StreamEnd::kClosed);
      settle(it->second.first);
    });
  }

  Rng rng_ = Rng::from_seed(11);
  Instant now_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t order_ = 0;
};

}  // namespace ginnel::swim::testing
