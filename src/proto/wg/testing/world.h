// Two Devices back to back in virtual time: time jumps to the next deadline or delivery.
//
//   World world;                     // node 0 knows node 1 and the other way round
//   world.send(0, "hello");          // seals, or stages and begins a handshake
//   world.run_for(1s);
//   EXPECT_EQ(world[1].received, ...);
#pragma once
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/drain.h"
#include "proto/wg/device.h"

namespace ginnel::wg::testing {

inline Endpoint endpoint_of(int node, std::uint16_t port = 51820) {
  return {Address::v4(192, 0, 2, static_cast<std::uint8_t>(node + 1)), port};
}

struct Sent {  // one datagram on the wire
  Instant at;
  int from = 0;
  MessageType type = MessageType::kData;
  ByteVector bytes;
  bool is_keepalive() const {
    return type == MessageType::kData && bytes.size() == kDataOverheadBytes;
  }
};

struct Node {
  std::unique_ptr<Device> device;
  PeerHandle peer;  // the other node
  Endpoint address;
  std::vector<std::string> received;
  std::vector<SessionEstablished> established;
  std::vector<Authenticated> authenticated;
  std::vector<UnknownInitiator> unknown;
  std::vector<ProvisionalExpired> expired;
  int failed = 0;
  int added = 0;
  std::vector<std::unique_ptr<KeyPair>> retired;
  std::map<Drop, int> drops;
};

struct WorldOptions {
  Config config;
  bool knows_each_other = true;
  Retransmission retransmission = Retransmission::kStock;
  std::uint64_t seed = 1;
};

class World {
 public:
  explicit World(WorldOptions options = {}) : options_(std::move(options)) {
    Rng rng = Rng::from_seed(options_.seed);
    for (int i = 0; i < 2; ++i) {
      nodes_[i].address = endpoint_of(i);
      auto key = crypto::SessionSecret::generate(rng);
      nodes_[i].device = std::make_unique<Device>(options_.config, std::move(key),
                                                  rng.fork(i == 0 ? "a" : "b"), now, wall_at(now));
    }
    if (!options_.knows_each_other) return;
    for (int i = 0; i < 2; ++i) add(i);
  }
  Node& operator[](int i) { return nodes_[i]; }
  Device& device(int i) { return *nodes_[i].device; }

  // Node i gets to know the other one.
  void add(int i) {
    PeerConfig config;
    config.retransmission = options_.retransmission;
    nodes_[i].peer = device(i).add_peer(now, device(1 - i).public_key(), std::move(config)).value();
    device(i).set_endpoint(now, nodes_[i].peer, kSocket, nodes_[1 - i].address);
  }
  static Wall wall_at(Instant t) { return {1'700'000'000'000'000'000 + t.ns}; }

  // What seal() answered; a sealed packet is put on the wire.
  Result<std::size_t, NotReady> send(int from, std::string_view text) {
    std::array<std::byte, 4096> out;
    const auto size = device(from).seal(now, nodes_[from].peer, bytes_of(text), out);
    if (size) put(from, {kSocket, nodes_[1 - from].address}, Bytes(out).first(*size));
    pump(from);
    return size;
  }
  void begin(int node) {
    device(node).begin_handshake(now, nodes_[node].peer);
    pump(node);
  }
  // A datagram out of nowhere.
  Result<Opened, Drop> deliver(int to, ByteVector bytes, std::optional<Endpoint> from = {}) {
    Node& node = nodes_[to];
    auto opened = node.device->open(now, kSocket, from.value_or(nodes_[1 - to].address), bytes);
    if (!opened) {
      ++node.drops[opened.error()];
    } else if (opened->type == MessageType::kData && !opened->plaintext.empty()) {
      const auto text = text_of(opened->plaintext);
      node.received.emplace_back(text.substr(0, text.find('\0')));
    }
    pump(to);
    return opened;
  }
  void run_until(Instant end) {
    for (int i = 0; i < 2; ++i) pump(i);  // a test may have called a device itself
    for (;;) {
      auto next = wire_.empty() ? std::nullopt : std::optional(wire_.begin()->first);
      for (int i = 0; i < 2; ++i) next = earlier(next, device(i).next_timeout());
      if (!next || *next > end) break;
      now = std::max(now, *next);
      step();
    }
    now = end;
  }
  void run_for(Nanoseconds time) { run_until(now + time); }
  // Both have a session that both may send on.
  void connect() {
    (void)send(0, "connect");
    run_for(1s);
    nodes_[1].received.clear();
  }
  int count(int from, MessageType type) const {
    return static_cast<int>(std::ranges::count_if(
        sent, [&](const Sent& s) { return s.from == from && s.type == type; }));
  }
  int keepalives(int from) const {
    return static_cast<int>(std::ranges::count_if(
        sent, [&](const Sent& s) { return s.from == from && s.is_keepalive(); }));
  }
  std::vector<double> times(int from, MessageType type) const {
    std::vector<double> out;
    for (const Sent& s : sent) {
      if (s.from == from && s.type == type) out.push_back(static_cast<double>(s.at.ns) / 1e9);
    }
    return out;
  }

  Instant now{1'000'000'000};
  Nanoseconds delay = 10ms;
  std::vector<Sent> sent;
  // Whether a datagram is lost.
  std::function<bool(const Sent&)> lose = [](const Sent&) { return false; };
  // Added to the delay of one datagram, for reordering.
  std::function<Nanoseconds(const Sent&)> extra_delay = [](const Sent&) { return Nanoseconds{}; };

 private:
  struct Flying {
    int to;
    ByteVector bytes;
  };
  struct Box {  // an Outbox
    World* world;
    int from;
    std::array<std::byte, 4096> buffer{};
    Bytes slot() { return buffer; }
    void commit(const Transmit& t) {
      world->put(from, {t.path, t.to}, Bytes(buffer).first(t.size));
    }
  };

  void put(int from, const Route& to, ConstBytes bytes) {
    sent.push_back({now, from, message_type(bytes).value(), to_vector(bytes)});
    if (lose(sent.back()) || to.endpoint != nodes_[1 - from].address) return;
    wire_.emplace(now + delay + extra_delay(sent.back()), Flying{1 - from, to_vector(bytes)});
  }
  void step() {
    while (!wire_.empty() && wire_.begin()->first <= now) {
      const Flying flying = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      (void)deliver(flying.to, flying.bytes);
    }
    for (int i = 0; i < 2; ++i) {
      const auto due = device(i).next_timeout();
      if (due && *due <= now) device(i).handle_timeout(now);
      pump(i);
    }
  }
  void pump(int i) {
    Box box{this, i};
    drain(device(i), now, box, [&](Device::Event event) { take(nodes_[i], std::move(event)); });
  }
  static void take(Node& node, Device::Event event) {
    if (auto* e = std::get_if<SessionEstablished>(&event)) node.established.push_back(*e);
    if (auto* e = std::get_if<Authenticated>(&event)) node.authenticated.push_back(*e);
    if (auto* e = std::get_if<UnknownInitiator>(&event)) node.unknown.push_back(*e);
    if (auto* e = std::get_if<ProvisionalExpired>(&event)) node.expired.push_back(*e);
    if (std::holds_alternative<HandshakeFailed>(event)) ++node.failed;
    if (std::holds_alternative<KeyPairAdded>(event)) ++node.added;
    if (auto* e = std::get_if<KeyPairRetired>(&event))
      node.retired.push_back(std::move(e->key_pair));
  }

  const WorldOptions options_;
  Node nodes_[2];
  std::multimap<Instant, Flying> wire_;
};

}  // namespace ginnel::wg::testing
