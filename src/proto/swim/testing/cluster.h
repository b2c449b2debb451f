// For tests: many members on a network in virtual time. Datagrams and streams take a delay and may be
// lost; members can be cut off from each other, stopped for good or paused.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>

#include "base/drain.h"
#include "proto/swim/swim.h"

namespace ginnel::swim::testing {

class Cluster {
 public:
  struct Options {
    std::uint64_t seed = 1;
    Nanoseconds delay = 1ms;
    double loss = 0;
    // Whether a datagram or stream may pass; null: all.
    std::function<bool(std::size_t from, std::size_t to, bool stream)> passes;
  };

  explicit Cluster(Options options) : options_(std::move(options)), rng_(Rng::from_seed(options_.seed)) {}
  Cluster() : Cluster(Options()) {}

  static Endpoint endpoint_of(std::size_t i) {
    return {Address::v4(static_cast<std::uint32_t>(0x0a000001 + i)), kDefaultPort};
  }
  static std::string name_of(std::size_t i) { return "n" + std::to_string(i); }

  // Adds a member named n0, n1, ... at 10.0.0.1, 10.0.0.2, ... and starts it.
  std::size_t add(Config config = Config::lan()) {
    const std::size_t i = nodes_.size();
    if (config.name.empty()) config.name = name_of(i);
    if (config.advertise.port == 0) config.advertise = endpoint_of(i);
    nodes_.push_back(std::make_unique<Node>(config, rng_.fork(config.name)));
    nodes_[i]->at = config.advertise;
    nodes_[i]->swim.start(now_);
    settle(i);
    return i;
  }
  // n members, all joined to the first, and run for a second.
  void start(std::size_t n, const Config& config = Config::lan()) {
    for (std::size_t i = 0; i < n; ++i) {
      add(config);
      if (i > 0) join(i, 0);
    }
    run(1s);
  }
  void join(std::size_t i, std::size_t via) {
    nodes_[i]->swim.join(now_, nodes_[via]->at);
    settle(i);
  }
  Swim& operator[](std::size_t i) { return nodes_[i]->swim; }
  // After a call to operator[]: moves what it had to say.
  void settle(std::size_t i) { drain_node(i); }
  void kill(std::size_t i) { nodes_[i]->dead = true; }
  // A dead member's place and name, with nothing remembered.
  void restart(std::size_t i, Config config) {
    config.name = nodes_[i]->swim.config().name;
    if (config.advertise.port == 0) config.advertise = nodes_[i]->at;
    const Endpoint at = config.advertise;
    nodes_[i] = std::make_unique<Node>(config, rng_.fork("restart"));
    nodes_[i]->at = at;
    nodes_[i]->swim.start(now_);
    settle(i);
  }
  // As kill -STOP: it neither sends nor handles anything until it goes on; what came waits.
  void pause(std::size_t i) { nodes_[i]->paused = true; }
  void resume(std::size_t i) {
    nodes_[i]->paused = false;
    for (auto& action : std::exchange(nodes_[i]->waiting, {})) action();
    tick(i);
  }
  void set_passes(decltype(Options::passes) passes) { options_.passes = std::move(passes); }

  void run(Nanoseconds duration) {
    const Instant end = now_ + duration;
    for (;;) {
      const auto timer = next_timer();
      const bool event_first = !queue_.empty() && (!timer || queue_.begin()->first.first <= timer->first);
      const Instant next = event_first ? queue_.begin()->first.first : timer ? timer->first : end;
      if (next > end || (!event_first && !timer)) break;
      now_ = std::max(now_, next);
      if (event_first) {
        auto action = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        action();
      } else {
        tick(timer->second);
      }
    }
    now_ = end;
  }
  Instant now() const { return now_; }

  const std::vector<Event>& events(std::size_t i) const { return nodes_[i]->events; }
  void clear_events() {
    for (auto& node : nodes_) node->events.clear();
  }
  template <class E>
  std::vector<E> events_of(std::size_t i) const {
    std::vector<E> out;
    for (const Event& event : nodes_[i]->events) {
      if (const E* e = std::get_if<E>(&event)) out.push_back(*e);
    }
    return out;
  }
  std::optional<State> state(std::size_t at, std::size_t of) {
    const auto member = nodes_[at]->swim.member(nodes_[of]->swim.config().name);
    return member ? std::optional(member->state) : std::nullopt;
  }
  // Everyone that runs holds exactly these many alive.
  bool all_see(std::size_t alive) const {
    return std::ranges::all_of(nodes_, [&](const auto& node) {
      return node->dead || node->swim.alive_count() == alive;
    });
  }
  std::size_t datagrams(std::size_t i) const { return nodes_[i]->datagrams; }

 private:
  struct Node {
    Node(const Config& config, Rng rng) : swim(config, std::move(rng)) {}
    Swim swim;
    Endpoint at;
    bool dead = false;
    bool paused = false;
    std::vector<std::function<void()>> waiting;
    std::vector<Event> events;
    std::map<StreamId, std::pair<std::size_t, StreamId>> streams;  // to the other end
    std::size_t datagrams = 0;
  };
  struct Box {  // the Outbox of drain()
    std::vector<std::byte> bytes = std::vector<std::byte>(70'000);
    std::vector<std::pair<Endpoint, ByteVector>> out;
    Bytes slot() { return bytes; }
    void commit(const Transmit& t) { out.emplace_back(t.to, to_vector(Bytes(bytes).first(t.size))); }
  };

  std::optional<std::pair<Instant, std::size_t>> next_timer() const {
    std::optional<std::pair<Instant, std::size_t>> out;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i]->dead || nodes_[i]->paused) continue;
      const auto at = nodes_[i]->swim.next_timeout();
      if (at && (!out || *at < out->first)) out = {*at, i};
    }
    return out;
  }
  void tick(std::size_t i) {
    nodes_[i]->swim.handle_timeout(now_);
    drain_node(i);
  }
  void later(Nanoseconds delay, std::function<void()> action) {
    queue_.emplace(std::pair(now_ + delay, ++order_), std::move(action));
  }
  // Runs it at the node, unless that is dead; when it is paused, afterwards.
  void at_node(std::size_t i, std::function<void()> action) {
    Node& node = *nodes_[i];
    if (node.dead) return;
    if (node.paused) node.waiting.push_back(std::move(action));
    else action();
  }
  std::optional<std::size_t> find(const Endpoint& to) const {
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      if (nodes_[i]->at == to && !nodes_[i]->dead) return i;
    }
    return std::nullopt;
  }
  bool passes(std::size_t from, std::size_t to, bool stream) const {
    return !options_.passes || options_.passes(from, to, stream);
  }

  void drain_node(std::size_t i) {
    Box box;
    drain(nodes_[i]->swim, now_, box, [&](Event event) { handle_event(i, std::move(event)); });
    for (auto& [to, bytes] : box.out) send(i, to, std::move(bytes));
  }
  void send(std::size_t from, const Endpoint& to, ByteVector bytes) {
    ++nodes_[from]->datagrams;
    const auto target = find(to);
    if (!target || !passes(from, *target, false) || rng_.chance(options_.loss)) return;
    later(options_.delay, [this, from, i = *target, bytes = std::move(bytes)]() mutable {
      at_node(i, [this, from, i, bytes = std::move(bytes)]() mutable {
        nodes_[i]->swim.handle_datagram(now_, kSocket, nodes_[from]->at, bytes);
        drain_node(i);
      });
    });
  }
  void handle_event(std::size_t i, Event event) {
    if (const auto* open = std::get_if<StreamOpen>(&event)) return open_stream(i, *open);
    if (auto* write = std::get_if<StreamWrite>(&event)) return write_stream(i, std::move(*write));
    if (const auto* close = std::get_if<StreamClose>(&event)) return close_stream(i, close->stream);
    nodes_[i]->events.push_back(std::move(event));
  }
  // A dial to somebody dead or cut off is never answered, as with a lost SYN.
  void open_stream(std::size_t i, const StreamOpen& open) {
    const auto target = find(open.to);
    if (!target || !passes(i, *target, true)) return;
    later(options_.delay, [this, i, to = *target, mine = open.stream] {
      at_node(to, [this, i, to, mine] {
        if (const auto theirs = nodes_[to]->swim.accept_stream(now_, nodes_[i]->at)) {
          nodes_[i]->streams[mine] = {to, *theirs};
          nodes_[to]->streams[*theirs] = {i, mine};
        }
        drain_node(to);
      });
    });
  }
  void to_other_end(std::size_t i, StreamId mine,
                    std::function<void(std::size_t other, StreamId theirs)> action) {
    later(options_.delay, [this, i, mine, action = std::move(action)] {
      const auto it = nodes_[i]->streams.find(mine);
      if (it == nodes_[i]->streams.end()) return;
      const auto [other, theirs] = it->second;
      if (!passes(i, other, true)) return;
      at_node(other, [this, other = other, theirs = theirs, action] {
        action(other, theirs);
        drain_node(other);
      });
    });
  }
  void write_stream(std::size_t i, StreamWrite write) {
    to_other_end(i, write.stream, [this, bytes = std::move(write.bytes)](std::size_t o, StreamId s) {
      nodes_[o]->swim.handle_stream_data(now_, s, bytes);
    });
  }
  void close_stream(std::size_t i, StreamId mine) {
    to_other_end(i, mine, [this](std::size_t o, StreamId s) {
      nodes_[o]->swim.handle_stream_closed(now_, s, StreamEnd::kClosed);
    });
  }

  Options options_;
  Rng rng_;
  Instant now_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t order_ = 0;
};

}  // namespace ginnel::swim::testing
