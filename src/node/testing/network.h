// Whole nodes on a wire that delays, in virtual time: a hub that founded a network, and peers that
// join it by token and talk through it.
//
//   class MyTest : public NodeTest {};
//   const auto alice = join_and_start("alice");
//   ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "hub"); }));
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "base/drain.h"
#include "node/founder.h"
#include "node/joiner.h"
#include "node/node.h"

namespace ginnel::node {

inline constexpr Wall kEpoch{1'700'000'000'000'000'000};
inline constexpr Nanoseconds kLeg = 25ms;  // one way, node to hub: R = peer-hub-peer = 100 ms
inline const Prefix kOverlay = *Prefix::parse("10.66.0.0/16");

// One program on the wire: its core behind one function, so that nodes and joiners look alike.
struct Station {
  Endpoint at;
  std::function<void(Instant, const Endpoint&, Bytes)> receive;
  std::function<void(Instant)> timeout;
  std::function<std::optional<Instant>(Instant)> pump;  // drains, returns the next deadline
  std::optional<Instant> deadline;
  bool down = false;
};

// Where a node's kProbeSocket is.
inline Endpoint second_socket(Endpoint at) {
  at.port = static_cast<std::uint16_t>(at.port + (at.port == 7700 ? 1 : 1000));
  return at;
}

class Wire {
 public:
  struct Slot {
    Wire& wire;
    Endpoint from;
    std::array<std::byte, 2048> buffer{};
    std::span<std::byte> slot() { return buffer; }
    void commit(const Transmit& t) {
      Endpoint source = from;
      if (t.path == kProbeSocket) source = second_socket(source);
      wire.send(source, t.to, ConstBytes(buffer).first(t.size));
    }
  };

  void add(std::shared_ptr<Station> station) { stations_.push_back(std::move(station)); }
  void send(const Endpoint& from, const Endpoint& to, ConstBytes bytes) {
    ++sent_;
    if (tap) tap(from, to, bytes);
    if (drop && drop(from, to)) return;
    const Nanoseconds leg = kLeg + (extra_delay ? extra_delay(from, to) : 0ns);
    flying_.emplace(std::pair(now_ + leg, sent_), Packet{from, to, to_vector(bytes)});
  }
  // Runs until `until` is true or `limit` has passed; says which.
  bool run(Nanoseconds limit, const std::function<bool()>& until) {
    const Instant end = now_ + limit;
    for (;;) {
      pump();
      if (until()) return true;
      Instant next = end;
      if (!flying_.empty()) next = std::min(next, flying_.begin()->first.first);
      for (const auto& s : stations_) {
        if (!s->down && s->deadline) next = std::min(next, std::max(*s->deadline, now_));
      }
      if (next >= end) {
        now_ = end;
        return false;
      }
      now_ = next;
      step();
    }
  }
  Instant now() const { return now_; }

  std::function<bool(const Endpoint&, const Endpoint&)> drop;
  std::function<Nanoseconds(const Endpoint&, const Endpoint&)> extra_delay;
  std::function<void(const Endpoint&, const Endpoint&, ConstBytes)> tap;  // sees what is sent

 private:
  struct Packet {
    Endpoint from, to;
    ByteVector bytes;
  };
  void pump() {
    for (const auto& s : stations_) {
      if (!s->down) s->deadline = s->pump(now_);
    }
  }
  void step() {
    for (const auto& s : stations_) {
      if (!s->down && s->deadline && *s->deadline <= now_) s->timeout(now_);
    }
    while (!flying_.empty() && flying_.begin()->first.first <= now_) {
      Packet packet = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      for (const auto& s : stations_) {
        if (s->at == packet.to && !s->down) s->receive(now_, packet.from, packet.bytes);
      }
    }
  }

  Instant now_{1'000'000'000};
  std::uint64_t sent_ = 0;
  std::vector<std::shared_ptr<Station>> stations_;
  std::map<std::pair<Instant, std::uint64_t>, Packet> flying_;
};

struct Running {
  Config config;
  OwnIdentity identity;
  std::unique_ptr<Node> node;
  std::shared_ptr<Station> station;
  std::map<std::string, ByteVector> disk;
  bool disk_stuck = false;  // nothing is ever stored
  std::vector<Event> events;
  std::vector<std::pair<std::string, std::string>> messages;  // from, text
  std::vector<AckSettled> settled;
  int pongs = 0;
};

class NodeTest : public ::testing::Test {
 protected:
  explicit NodeTest(const Endpoint& hub_at = {Address::v4(203, 0, 113, 9), 7700})
      : kHubAt(hub_at) {}
  void SetUp() override {
    identity_ = found_network({"hub", kOverlay}, rng_, wall()).value();
    hub_ = start_hub(identity_, 1);
  }
  Wall wall() const { return kEpoch + (wire_.now() - Instant{}) + clock_error_; }

  std::shared_ptr<Running> start(Config config, OwnIdentity identity, const Endpoint& at,
                                 std::uint64_t epoch, const Stored& stored = {}) {
    auto out = std::make_shared<Running>();
    config.gossip = gossip_;
    out->config = config;
    out->identity = identity.clone();
    out->node = std::make_unique<Node>(std::move(config), std::move(identity), stored, epoch,
                                       rng_.fork("node"), wire_.now(), wall());
    out->station = std::make_shared<Station>();
    out->station->at = at;
    Running* self = out.get();
    out->station->receive = [self](Instant now, const Endpoint& from, Bytes bytes) {
      self->node->handle_datagram(now, kSocket, from, bytes);
    };
    out->station->timeout = [self](Instant now) { self->node->handle_timeout(now); };
    out->station->pump = [this, self](Instant now) {
      Wire::Slot outbox{wire_, self->station->at};
      std::optional<Instant> next;
      for (std::size_t before = 0;;) {
        next = drain(*self->node, now, outbox, [&](Event event) { handle(*self, std::move(event)); });
        if (self->events.size() == before) return next;
        before = self->events.size();
      }
    };
    wire_.add(out->station);
    add_second_socket(out);
    return out;
  }
  void add_second_socket(const std::shared_ptr<Running>& node) {
    auto station = std::make_shared<Station>();
    station->at = second_socket(node->station->at);
    station->receive = [self = node.get()](Instant now, const Endpoint& from, Bytes bytes) {
      if (!self->station->down) self->node->handle_datagram(now, kProbeSocket, from, bytes);
    };
    station->pump = [node](Instant) { return std::optional<Instant>(); };
    wire_.add(station);
  }
  void handle(Running& running, Event event) {
    if (auto* store = std::get_if<StoreRequest>(&event)) {
      if (running.disk_stuck) return;
      running.disk[store->name] = store->bytes;
      running.node->handle_stored(store->ticket);
    } else if (auto* ready = std::get_if<MessageReady>(&event)) {
      while (auto message = running.node->take_message(ready->from, ready->channel)) {
        const auto info = running.node->peer_info(wire_.now(), ready->from);
        running.messages.emplace_back(info ? info->name : "?", std::string(text_of(message->data)));
        running.node->taken(ready->from, message->id);
      }
    } else if (auto* settled = std::get_if<AckSettled>(&event)) {
      running.settled.push_back(*settled);
    } else if (std::get_if<PongReceived>(&event)) {
      ++running.pongs;
    }
    running.events.push_back(std::move(event));
  }
  std::shared_ptr<Running> start_hub(const OwnIdentity& identity, std::uint64_t epoch,
                                     const Stored& stored = {}) {
    Config config;
    config.network_name = "home";
    config.overlay_v4 = kOverlay;
    config.hub = HubConfig{.public_endpoint = kHubAt, .probe_port = static_cast<std::uint16_t>(kHubAt.port + 1)};
    return start(std::move(config), identity.clone(), kHubAt, epoch, stored);
  }
  // Redeems a token and runs the Joiner to its outcome.
  Joiner::Outcome join(const std::string& token_text, OwnIdentity& identity,
                       const std::string& name) {
    const auto token = control::parse_token(token_text);
    identity.network = token->network;
    Joiner::Options options{.token = {}, .endpoints = {{kHubAt}}, .name = name, .own_endpoints = {}};
    options.token = *control::parse_token(token_text);
    const Endpoint at{Address::v4(198, 51, 100, 99), ++port_};
    auto joiner = std::make_shared<Joiner>(std::move(options), identity, rng_.fork("join"),
                                           wire_.now(), wall());
    auto station = std::make_shared<Station>();
    station->at = at;
    station->receive = [joiner](Instant now, const Endpoint& from, Bytes bytes) {
      joiner->handle_datagram(now, kSocket, from, bytes);
    };
    station->timeout = [joiner](Instant now) { joiner->handle_timeout(now); };
    station->pump = [this, joiner, at](Instant now) {
      Wire::Slot outbox{wire_, at};
      return drain(*joiner, now, outbox, [](auto) {});
    };
    wire_.add(station);
    wire_.run(10s, [&] { return joiner->outcome().has_value(); });
    station->down = true;
    if (joiner->outcome()) return *joiner->outcome();
    return Fail(joiner->last_refusal().value_or(Refusal{}));
  }
  std::shared_ptr<Running> join_and_start(const std::string& name) {
    auto [config, identity] = enrol(name);
    return start(std::move(config), std::move(identity), next_place(), 5);
  }
  // A new address for a peer, on the hub's host if that is a loopback address.
  Endpoint next_place() {
    ++host_;
    if (!kHubAt.address.is_loopback()) return {Address::v4(198, 51, 100, host_), 4000};
    return {kHubAt.address, static_cast<std::uint16_t>(4000 + host_)};
  }
  // What a peer is made of that has redeemed a token.
  std::pair<Config, OwnIdentity> enrol(const std::string& name) {
    const std::string token = hub_->node->invite(wire_.now(), {}).value();
    OwnIdentity identity = make_identity(Role::kPeer, identity_.network, rng_);
    auto joined = join(token, identity, name);
    if (!joined) {
      ADD_FAILURE() << joined.error().text;
      return {Config(), std::move(identity)};
    }
    identity.chain = joined->chain;
    Config config;
    config.network_name = joined->network_name;
    config.overlay_v4 = joined->overlay_v4;
    for (const auto& hub : joined->hubs) config.hubs.push_back({hub.session, {kHubAt}});
    return {std::move(config), std::move(identity)};
  }
  bool knows(const Running& who, const std::string& name) {
    const auto id = who.node->resolve(name);
    if (!id) return false;
    const auto info = who.node->peer_info(wire_.now(), *id);
    return info && info->state == PeerState::kOnline;
  }

  const Endpoint kHubAt;
  Rng rng_ = Rng::from_seed(42);
  Wire wire_;
  OwnIdentity identity_;
  std::shared_ptr<Running> hub_;
  std::uint16_t port_ = 1000;
  std::uint8_t host_ = 0;
  std::optional<swim::Config> gossip_;  // of nodes that start from now on
  Nanoseconds clock_error_{};  // of nodes that start from now on
};

}  // namespace ginnel::node
