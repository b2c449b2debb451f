// Whole nodes on a wire that delays: who joins is let in, is seen, and is reached by name.
#include "node/node.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/drain.h"
#include "node/founder.h"
#include "node/joiner.h"

namespace ginnel::node {
namespace {

constexpr Wall kEpoch{1'700'000'000'000'000'000};
constexpr Nanoseconds kLeg = 25ms;  // one way, node to hub: R = peer-hub-peer = 100 ms
const Prefix kRange = *Prefix::parse("10.66.0.0/16");

// One program on the wire: its core behind one function, so that nodes and joiners look alike.
struct Station {
  Endpoint at;
  std::function<void(Instant, const Endpoint&, Bytes)> receive;
  std::function<void(Instant)> timeout;
  std::function<std::optional<Instant>(Instant)> pump;  // drains, returns the next deadline
  std::optional<Instant> deadline;
  bool down = false;
};

class Wire {
 public:
  struct Slot {
    Wire& wire;
    Endpoint from;
    std::array<std::byte, 2048> buffer{};
    std::span<std::byte> slot() { return buffer; }
    void commit(const Transmit& t) {
      wire.send(from, t.to, ConstBytes(buffer).first(t.size));
    }
  };

  void add(std::shared_ptr<Station> station) { stations_.push_back(std::move(station)); }
  void send(const Endpoint& from, const Endpoint& to, ConstBytes bytes) {
    ++sent_;
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
  std::unique_ptr<Node> node;
  std::shared_ptr<Station> station;
  std::map<std::string, ByteVector> disk;
  std::vector<Event> events;
  std::vector<std::pair<std::string, std::string>> messages;  // from, text
  std::vector<AckSettled> settled;
  int pongs = 0;
};

class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    identity_ = found_network({"hub", kRange}, rng_, wall()).value();
    hub_ = start_hub(identity_, 1);
  }
  Wall wall() const { return kEpoch + (wire_.now() - Instant{}); }

  std::shared_ptr<Running> start(Config config, OwnIdentity identity, const Endpoint& at,
                                 std::uint64_t epoch, const Stored& stored = {}) {
    auto out = std::make_shared<Running>();
    out->node = std::make_unique<Node>(std::move(config), std::move(identity), stored, epoch,
                                       rng_.fork("node"), wire_.now(), wall());
    out->station = std::make_shared<Station>();
    out->station->at = at;
    Running* self = out.get();
    out->station->receive = [self](Instant now, const Endpoint& from, Bytes bytes) {
      self->node->handle_datagram(now, kSocket, from, bytes);
    };
    out->station->timeout = [self](Instant now) { self->node->handle_timeout(now); };
    out->station->pump = [this, self, at](Instant now) {
      Wire::Slot outbox{wire_, at};
      std::optional<Instant> next;
      for (std::size_t before = 0;;) {
        next = drain(*self->node, now, outbox, [&](Event event) { handle(*self, std::move(event)); });
        if (self->events.size() == before) return next;
        before = self->events.size();
      }
    };
    wire_.add(out->station);
    return out;
  }
  void handle(Running& running, Event event) {
    if (auto* store = std::get_if<StoreRequest>(&event)) {
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
    config.overlay_v4 = kRange;
    config.hub = HubConfig{.public_endpoint = kHubAt, .probe_port = 0};
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
    const std::string token = hub_->node->invite(wire_.now(), {}).value();
    OwnIdentity identity = make_identity(Role::kPeer, identity_.network, rng_);
    auto joined = join(token, identity, name);
    if (!joined) {
      ADD_FAILURE() << joined.error().text;
      return nullptr;
    }
    identity.chain = joined->chain;
    Config config;
    config.network_name = joined->network_name;
    config.overlay_v4 = joined->overlay_v4;
    for (const auto& hub : joined->hubs) config.hubs.push_back({hub.session, {kHubAt}});
    return start(std::move(config), std::move(identity), {Address::v4(198, 51, 100, ++host_), 4000}, 5);
  }
  bool knows(const Running& who, const std::string& name) {
    const auto id = who.node->resolve(name);
    if (!id) return false;
    const auto info = who.node->peer_info(wire_.now(), *id);
    return info && info->state == PeerState::kOnline;
  }

  const Endpoint kHubAt{Address::v4(203, 0, 113, 9), 7700};
  Rng rng_ = Rng::from_seed(42);
  Wire wire_;
  OwnIdentity identity_;
  std::shared_ptr<Running> hub_;
  std::uint16_t port_ = 1000;
  std::uint8_t host_ = 0;
};

TEST_F(NodeTest, ANewcomerRedeemsATokenAndIsSeenByTheOthers) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  EXPECT_TRUE(knows(*hub_, "alice"));
  EXPECT_TRUE(kRange.contains(alice->node->self().addresses.front()));
}

TEST_F(NodeTest, ATokenIsGoodForOneKeyAndTheSameKeyMayRepeat) {
  const std::string token = hub_->node->invite(wire_.now(), {}).value();
  OwnIdentity first = make_identity(Role::kPeer, identity_.network, rng_);
  const auto once = join(token, first, "alice");
  ASSERT_TRUE(once);
  const auto again = join(token, first, "alice");
  ASSERT_TRUE(again);
  EXPECT_EQ(once->chain, again->chain);
  OwnIdentity second = make_identity(Role::kPeer, identity_.network, rng_);
  const auto other = join(token, second, "bob");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, control::RefusedCode::kTokenUsed);
}

TEST_F(NodeTest, AnExpiredTokenIsRefusedAsSuch) {
  const std::string token = hub_->node->invite(wire_.now(), {.ttl = 1s}).value();
  wire_.run(2s, [] { return false; });
  OwnIdentity late = make_identity(Role::kPeer, identity_.network, rng_);
  const auto outcome = join(token, late, "late");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, control::RefusedCode::kTokenExpired);
}

TEST_F(NodeTest, ATakenNameIsRefused) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(alice);
  const std::string token = hub_->node->invite(wire_.now(), {}).value();
  OwnIdentity thief = make_identity(Role::kPeer, identity_.network, rng_);
  const auto outcome = join(token, thief, "alice");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, control::RefusedCode::kNameTaken);
}

// Issue point 3: first message to a peer whose row both ends hold within 1.5 R + 5 ms.
TEST_F(NodeTest, TheFirstMessageArrivesWithinOneAndAHalfRoundTrips) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  wire_.run(3s, [] { return false; });
  bob->node->subscribe("chat");
  const Instant start = wire_.now();
  ASSERT_TRUE(alice->node->send(start, "bob", "chat", bytes_of("hello")));
  ASSERT_TRUE(wire_.run(2s, [&] { return !bob->messages.empty(); }));
  EXPECT_LE(wire_.now() - start, 155ms);
  EXPECT_EQ(bob->messages.front(), std::pair(std::string("alice"), std::string("hello")));
}

TEST_F(NodeTest, MessagesArriveInOrderExactlyOnce) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  bob->node->subscribe("chat");
  int sent = 0;
  wire_.drop = [this](const Endpoint&, const Endpoint&) { return rng_.chance(0.05); };
  ASSERT_TRUE(wire_.run(300s, [&] {
    while (sent < 500 &&
           alice->node->send(wire_.now(), "bob", "chat", bytes_of(std::to_string(sent)))) {
      ++sent;
    }
    return bob->messages.size() == 500;
  }));
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(bob->messages[static_cast<std::size_t>(i)].second, std::to_string(i));
  }
}

TEST_F(NodeTest, AnAcknowledgedSendSucceedsWhenAProgramTookIt) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  alice->node->send_acked(wire_.now(), 1, {"bob", "nobody"}, "jobs", bytes_of("x"), 4s);
  wire_.run(1s, [] { return false; });
  EXPECT_TRUE(alice->settled.empty());
  bob->node->subscribe("jobs");
  ASSERT_TRUE(wire_.run(2s, [&] { return !alice->settled.empty(); }));
  EXPECT_FALSE(alice->settled.front().error);
  ASSERT_TRUE(wire_.run(5s, [&] { return alice->settled.size() == 2; }));
  EXPECT_EQ(alice->settled.back().error->code, Errc::kUnknownPeer);
}

// API.md: in order per (peer, channel). A small message would fit the window that a large one before
// it does not.
TEST_F(NodeTest, AcknowledgedMessagesDoNotOvertakeOneThatWaitsForRoom) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  bob->node->subscribe("jobs");
  const std::string id = alice->node->resolve("bob")->text();
  const std::size_t sizes[] = {700'000, 600'000, 1, 500'000, 2, 1'048'576, 3};
  std::uint64_t call = 0;
  for (const std::size_t size : sizes) {
    const std::string text(size, static_cast<char>('0' + call));
    const std::string peer = call % 2 == 0 ? "bob" : id;  // however it is named
    alice->node->send_acked(wire_.now(), ++call, {peer}, "jobs", bytes_of(text), 30s);
  }
  const auto plain = alice->node->send(wire_.now(), "bob", "jobs", bytes_of("!"));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().code, Errc::kWouldBlock);
  const auto told = [&] {
    return std::ranges::any_of(alice->events, [](const Event& e) {
      const auto* writable = std::get_if<ChannelWritable>(&e);
      return writable && writable->channel == "jobs";
    });
  };
  ASSERT_TRUE(wire_.run(30s, [&] { return alice->settled.size() == 7; }));
  EXPECT_TRUE(told());
  ASSERT_EQ(bob->messages.size(), 7u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_FALSE(alice->settled[i].error);
    EXPECT_EQ(bob->messages[i].second.size(), sizes[i]) << i;
  }
}

TEST_F(NodeTest, MessagesOfBothKindsToANameNotYetKnownKeepTheirOrder) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "hub"); }));
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("0")));
  alice->node->send_acked(wire_.now(), 1, {"bob"}, "chat", bytes_of("1"), 10s);
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("2")));
  const auto bob = join_and_start("bob");
  bob->node->subscribe("chat");
  ASSERT_TRUE(wire_.run(5s, [&] { return bob->messages.size() == 3; }));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(bob->messages[i].second, std::to_string(i));
}

// The session dies of silence and is made again by the first of these messages: what is sent before
// the new HELLO has come is neither lost nor doubled.
TEST_F(NodeTest, MessagesSentWhileASessionIsMadeAgainArrive) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("0")));
  ASSERT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
  const Endpoint alice_at = alice->station->at;
  wire_.drop = [&](const Endpoint& from, const Endpoint& to) {
    return from == alice_at || to == alice_at;
  };
  std::size_t sent = 1;
  const auto send_one = [&] {
    if (alice->node->send(wire_.now(), "bob", "chat", bytes_of(std::to_string(sent)))) ++sent;
  };
  send_one();
  wire_.run(300s, [] { return false; });
  wire_.drop = nullptr;
  for (int i = 0; i < 2000; ++i) {
    send_one();
    wire_.run(5ms, [] { return false; });
  }
  ASSERT_TRUE(wire_.run(90s, [&] { return bob->messages.size() >= sent; }));
  wire_.run(30s, [] { return false; });
  ASSERT_EQ(bob->messages.size(), sent);
  for (std::size_t i = 0; i < sent; ++i) EXPECT_EQ(bob->messages[i].second, std::to_string(i));
}

TEST_F(NodeTest, WithoutASubscriberAnAcknowledgedSendFailsAndIsNeverGivenLater) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  alice->node->send_acked(wire_.now(), 1, {"bob"}, "jobs", bytes_of("x"), 2s);
  ASSERT_TRUE(wire_.run(5s, [&] { return !alice->settled.empty(); }));
  EXPECT_EQ(alice->settled.front().error->code, Errc::kNoSubscriber);
  wire_.run(1s, [] { return false; });
  bob->node->subscribe("jobs");
  wire_.run(1s, [] { return false; });
  EXPECT_TRUE(bob->messages.empty());
}

TEST_F(NodeTest, AMessageToANameNotYetKnownWaitsForIt) {
  const auto alice = join_and_start("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "hub"); }));
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("early")));
  const auto bob = join_and_start("bob");
  bob->node->subscribe("chat");
  EXPECT_TRUE(wire_.run(5s, [&] { return !bob->messages.empty(); }));
}

// facts of NAT traversal: a far hub must not keep a node from its network.
TEST_F(NodeTest, AHubThatAnswersLateIsStillAHub) {
  wire_.extra_delay = [this](const Endpoint& from, const Endpoint&) {
    return from == kHubAt ? Nanoseconds(200ms) : 0ns;
  };
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  EXPECT_TRUE(wire_.run(5s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
}

TEST_F(NodeTest, PingAnswersOverTheRelay) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  ASSERT_TRUE(alice->node->ping(wire_.now(), "bob", 1, 1, 56));
  EXPECT_TRUE(wire_.run(2s, [&] { return alice->pongs == 1; }));
}

// Issue point 4: hub restarted: peers back within 3 s; hub killed: no session lost.
TEST_F(NodeTest, AHubThatRestartsCallsItsPeers) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  const Stored stored{hub_->disk["pins"], hub_->disk["revocations"], hub_->disk["tokens"],
                      hub_->disk["peers"]};
  hub_->station->down = true;
  wire_.run(30s, [] { return false; });
  hub_ = start_hub(identity_, 2, stored);
  EXPECT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice") && knows(*hub_, "bob"); }));
}

TEST_F(NodeTest, ARevokedPeerIsShutOutWithinFiveSeconds) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("one")));
  ASSERT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
  ASSERT_TRUE(hub_->node->revoke(wire_.now(), "alice"));
  ASSERT_TRUE(wire_.run(5s, [&] { return !bob->node->resolve("alice"); }));
  (void)alice->node->send(wire_.now(), "bob", "chat", bytes_of("two"));
  wire_.run(10s, [] { return false; });
  EXPECT_EQ(bob->messages.size(), 1u);
  EXPECT_FALSE(knows(*hub_, "alice"));
}

TEST_F(NodeTest, APeerThatFallsSilentIsSeenAsDown) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->station->down = true;
  EXPECT_TRUE(wire_.run(5s + 500ms, [&] { return !knows(*alice, "bob"); }));
}

TEST_F(NodeTest, WhoLeavesIsGoneAtOnce) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  bob->node->leave(wire_.now());
  EXPECT_TRUE(wire_.run(500ms, [&] { return !knows(*alice, "bob"); }));
}

TEST_F(NodeTest, IpPacketsTravelAndForeignSourcesAreDropped) {
  const auto alice = join_and_start("alice");
  const auto bob = join_and_start("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob"); }));
  const auto packet = [&](const Address& from) {
    ByteVector out(28);
    out[0] = std::byte{0x45};
    out[3] = std::byte{28};
    std::ranges::copy(from.wire(), out.begin() + 12);
    std::ranges::copy(bob->node->self().addresses[0].wire(), out.begin() + 16);
    return out;
  };
  const auto received = [&] {
    return std::ranges::count_if(bob->events, [](const Event& e) {
      return std::holds_alternative<TunPacket>(e);
    });
  };
  alice->node->handle_tun_packet(wire_.now(), packet(alice->node->self().addresses[0]));
  ASSERT_TRUE(wire_.run(2s, [&] { return received() == 1; }));
  alice->node->handle_tun_packet(wire_.now(), packet(Address::v4(10, 66, 9, 9)));
  wire_.run(1s, [] { return false; });
  EXPECT_EQ(received(), 1);
}

}  // namespace
}  // namespace ginnel::node
