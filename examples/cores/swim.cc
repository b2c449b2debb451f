// Three members find each other by knowing one, agree on who is there, and notice when one is not.
// They speak memberlist's wire: with sockets in the place of this network they would join a cluster
// of serf or Alertmanager.
#include "proto/swim/swim.h"
#include "base/drain.h"

#include <cstdio>
#include <deque>
#include <functional>
#include <map>

using namespace ginnel;
using namespace ginnel::swim;

namespace {

Config config_of(std::string_view name, const Endpoint& at) {
  Config config = Config::lan();
  config.name = name;
  config.advertise = at;
  return config;
}

struct Host {
  Host(std::string_view name, std::string_view where, std::uint64_t seed)
      : at(*Endpoint::parse(where)), swim(config_of(name, at), Rng::from_seed(seed)) {}
  Endpoint at;
  Swim swim;
  bool is_up = true;
  std::map<StreamId, std::pair<Host*, StreamId>> streams;  // to the other end
};

// UDP and TCP in memory: what a member says is done to the other after it has said all.
class Network {
 public:
  Host& add(std::string_view name, std::string_view at) {
    Host& host = hosts_.emplace_back(name, at, hosts_.size() + 1);
    host.swim.start(now_);
    return host;
  }
  void join(Host& host, const Host& via) { host.swim.join(now_, via.at); }
  void run_for(Nanoseconds time) {
    const Instant end = now_ + time;
    for (std::optional<Instant> next = now_; next && *next <= end; next = turn()) now_ = *next;
    now_ = end;
  }
  bool all_see(std::size_t alive) {
    return std::ranges::all_of(
        hosts_, [&](const Host& m) { return !m.is_up || m.swim.alive_count() == alive; });
  }

 private:
  struct Outbox {
    Network& network;
    Host& from;
    std::array<std::byte, 2000> buffer{};
    Bytes slot() { return buffer; }
    void commit(const Transmit& t) {
      network.calls_.push_back([&n = network, &f = from, to = network.find(t.to),
                                bytes = to_vector(Bytes(buffer).first(t.size))]() mutable {
        if (to) to->swim.handle_datagram(n.now_, kSocket, f.at, bytes);
      });
    }
  };

  // Everything that is due now; returns when something is next.
  std::optional<Instant> turn() {
    for (Host& m : hosts_) {
      if (m.is_up) m.swim.handle_timeout(now_);
    }
    std::optional<Instant> next;
    do {
      for (auto call : std::exchange(calls_, {})) call();
      next = std::nullopt;
      for (Host& m : hosts_) {
        if (!m.is_up) continue;
        Outbox outbox{*this, m};
        next = earlier(next,
                       drain(m.swim, now_, outbox, [&](const Event& event) { handle(m, event); }));
      }
    } while (!calls_.empty());
    return next;
  }
  void handle(Host& m, const Event& event) {
    if (const auto* open = std::get_if<StreamOpen>(&event)) return connect(m, *open);
    if (const auto* write = std::get_if<StreamWrite>(&event)) {
      at_other_end(m, write->stream, [this, bytes = write->bytes](Host& to, StreamId stream) {
        to.swim.handle_stream_data(now_, stream, bytes);
      });
    } else if (const auto* close = std::get_if<StreamClose>(&event)) {
      at_other_end(m, close->stream, [this](Host& to, StreamId stream) {
        to.swim.handle_stream_closed(now_, stream, StreamEnd::kClosed);
      });
    } else if (const auto* joined = std::get_if<Joined>(&event)) {
      tell(m, "has found", joined->member.name);
    } else if (const auto* failed = std::get_if<Failed>(&event)) {
      tell(m, "misses", failed->member.name);
    }
  }
  void connect(Host& m, const StreamOpen& open) {
    calls_.push_back([this, &m, mine = open.stream, to = find(open.to)] {
      const auto theirs = to ? to->swim.accept_stream(now_, m.at) : std::nullopt;
      if (!theirs) return m.swim.handle_stream_closed(now_, mine, StreamEnd::kFailed);
      m.streams[mine] = {to, *theirs};
      to->streams[*theirs] = {&m, mine};
    });
  }
  void at_other_end(Host& m, StreamId mine, std::function<void(Host&, StreamId)> action) {
    calls_.push_back([&m, mine, action = std::move(action)] {
      const auto end = m.streams.find(mine);
      if (end != m.streams.end()) action(*end->second.first, end->second.second);
    });
  }
  Host* find(const Endpoint& at) {
    const auto it = std::ranges::find_if(hosts_, [&](const Host& m) { return m.at == at; });
    return it != hosts_.end() && it->is_up ? &*it : nullptr;
  }
  void tell(const Host& m, const char* verb, const std::string& other) const {
    std::printf("%5.1f s  %s %s %s\n", static_cast<double>(now_.ns) / 1e9,
                m.swim.config().name.c_str(), verb, other.c_str());
  }

  Instant now_;
  std::deque<Host> hosts_;
  std::deque<std::function<void()>> calls_;
};

}  // namespace

int main() {
  Network network;
  Host& ann = network.add("ann", "192.0.2.1:7946");
  Host& bob = network.add("bob", "192.0.2.2:7946");
  Host& cleo = network.add("cleo", "192.0.2.3:7946");
  network.join(bob, ann);
  network.join(cleo, ann);
  network.run_for(2s);
  const bool found = network.all_see(3);
  std::printf("%s\n", found ? "all three agree" : "they do not agree");

  cleo.is_up = false;
  network.run_for(60s);
  return found && network.all_see(2) ? 0 : 1;
}
