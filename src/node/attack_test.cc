// What an attacker achieves against whole nodes: nothing but silence. The cases are those that
// docs/testing.md lists.
#include "node/testing/network.h"
#include "proto/control/ping.h"

namespace ginnel::node {
namespace {

const Endpoint kAttacker{Address::v4(192, 0, 2, 66), 6666};

// A node with keys of its own that shakes hands with a hub and then says what the test wants.
class Impostor {
 public:
  Impostor(const OwnIdentity& identity, const crypto::SessionPublic& hub, const Endpoint& hub_at,
           Instant now, Wall wall)
      : device_({}, identity.session.clone(), Rng::from_seed(66), now, wall) {
    wg::PeerConfig config;
    config.retransmission = wg::Retransmission::kOwnNode;
    peer_ = *device_.add_peer(now, hub, std::move(config));
    device_.set_endpoint(now, peer_, kSocket, hub_at);
    device_.begin_handshake(now, peer_);
  }
  template <class Body>
  void say(const Body& body) {
    ByteVector frame(2048);
    frame.resize(control::write_frame(body, frame));
    frames_.push_back(std::move(frame));
  }
  // A HELLO with this chain, as the first thing it says.
  void present(ConstBytes chain, std::uint64_t epoch) {
    control::Hello hello;
    hello.epoch = epoch;
    hello.wants_answer = true;
    hello.chain = chain;
    say(hello);
  }
  bool heard(control::FrameType type) const { return heard_.contains(type); }
  const std::vector<control::RefusedCode>& refusals() const { return refusals_; }

  void receive(Instant now, const Endpoint& from, Bytes bytes) {
    const auto opened = device_.open(now, kSocket, from, bytes);
    if (!opened) return;
    control::FrameReader frames(opened->plaintext);
    while (const auto frame = frames.next()) {
      heard_.insert(frame->type);
      if (frame->type != control::FrameType::kRefused) continue;
      if (const auto refused = control::parse_refused(frame->body)) {
        refusals_.push_back(refused->code);
      }
    }
  }
  void timeout(Instant now) { device_.handle_timeout(now); }
  std::optional<Instant> pump(Instant now, Wire::Slot& outbox, const Endpoint& hub_at) {
    const auto next = drain(device_, now, outbox, [](wg::Device::Event) {});
    while (device_.current_key_pair(peer_) && !frames_.empty()) {
      const auto size = device_.seal(now, peer_, frames_.front(), outbox.slot());
      frames_.pop_front();
      if (size) outbox.commit({.path = kSocket, .to = hub_at, .size = *size});
    }
    return next;
  }

 private:
  wg::Device device_;
  wg::PeerHandle peer_;
  std::deque<ByteVector> frames_;
  std::set<control::FrameType> heard_;
  std::vector<control::RefusedCode> refusals_;
};

class Attack : public NodeTest {
 protected:
  std::shared_ptr<Impostor> impose(const OwnIdentity& identity) {
    const auto hub = hub_->node->self().session_key;
    auto out = std::make_shared<Impostor>(identity, hub, kHubAt, wire_.now(), wall());
    auto station = std::make_shared<Station>();
    station->at = kAttacker;
    station->receive = [out](Instant now, const Endpoint& from, Bytes bytes) {
      out->receive(now, from, bytes);
    };
    station->timeout = [out](Instant now) { out->timeout(now); };
    station->pump = [this, out](Instant now) {
      Wire::Slot outbox{wire_, kAttacker};
      return out->pump(now, outbox, kHubAt);
    };
    wire_.add(station);
    return out;
  }
  void run_for(Nanoseconds time) {
    wire_.run(time, [] { return false; });
  }
  // Alice and Bob, who know each other.
  void meet() {
    alice_ = join_and_start("alice");
    bob_ = join_and_start("bob");
    ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice_, "bob") && knows(*bob_, "alice"); }));
    bob_->node->subscribe("chat");
    alice_->node->subscribe("chat");
  }
  PeerInfo seen(const Running& by, const std::string& name) {
    return by.node->peer_info(wire_.now(), *by.node->resolve(name)).value_or(PeerInfo{});
  }
  std::shared_ptr<Running> alice_, bob_;
};

// Case 4 and 24: who has no key of the network gets STUN answers and cookies, and no others.
TEST_F(Attack, GarbageIsAnsweredByNothingButStunAndCookies) {
  std::vector<ByteVector> captured;
  wire_.tap = [&](const Endpoint&, const Endpoint&, ConstBytes bytes) {
    if (captured.size() < 200) captured.push_back(to_vector(bytes));
  };
  meet();
  run_for(2s);
  std::size_t answers = 0;
  wire_.tap = [&](const Endpoint&, const Endpoint& to, ConstBytes bytes) {
    if (to != kAttacker) return;
    ++answers;
    const bool stun = stun::is_stun(bytes, stun::Accept::kOldRequestsToo);
    EXPECT_TRUE(stun || wg::CookieReply::parse(bytes)) << to_hex(bytes);
  };
  for (int i = 0; i < 20'000; ++i) {
    ByteVector bytes = captured[rng_.below(captured.size())];
    if (i % 2 == 0) rng_.fill(bytes);
    for (std::uint64_t n = rng_.below(4); n > 0; --n) {
      bytes[rng_.below(bytes.size())] ^= std::byte{1} << static_cast<int>(rng_.below(8));
    }
    bytes.resize(rng_.below(bytes.size()) + 1);
    const Endpoint& target = i % 3 == 0 ? bob_->station->at : kHubAt;
    wire_.send(kAttacker, target, bytes);
    if (i % 100 == 0) run_for(1ms);
  }
  run_for(1s);
  EXPECT_TRUE(knows(*alice_, "bob"));
  EXPECT_LE(answers, 100u);
}

// Case 5: replayed introductions, pings and registrations are ignored.
TEST_F(Attack, ReplayedTrafficBringsNobodyBackAndGetsNoAnswer) {
  std::vector<ByteVector> captured;
  wire_.tap = [&](const Endpoint& from, const Endpoint& to, ConstBytes bytes) {
    const bool of_alice = alice_ && from == alice_->station->at && to == kHubAt;
    // A STUN request is anybody's to repeat, and is answered.
    if (of_alice && !stun::is_stun(bytes)) captured.push_back(to_vector(bytes));
  };
  meet();
  ASSERT_TRUE(alice_->node->send(wire_.now(), "bob", "chat", bytes_of("once")));
  run_for(5s);
  alice_->station->down = true;
  ASSERT_TRUE(wire_.run(6s, [&] { return !knows(*hub_, "alice"); }));
  std::size_t answers = 0;
  wire_.tap = [&](const Endpoint&, const Endpoint& to, ConstBytes) {
    answers += to == kAttacker ? 1u : 0u;
  };
  ASSERT_GT(captured.size(), 5u);
  for (const ByteVector& bytes : captured) {
    wire_.send(kAttacker, kHubAt, bytes);
    run_for(30ms);
  }
  run_for(3s);
  EXPECT_EQ(answers, 0u);
  EXPECT_FALSE(knows(*hub_, "alice"));
  EXPECT_EQ(bob_->messages.size(), 1u);
}

// Case 7: a valid packet that is raced from another address does not capture the path.
TEST_F(Attack, RacedPacketsCaptureNoPathAndDoubleNoMessage) {
  meet();
  ASSERT_TRUE(alice_->node->send(wire_.now(), "bob", "chat", bytes_of("hello")));
  ASSERT_TRUE(wire_.run(3s, [&] {
    return !bob_->messages.empty() &&
           seen(*bob_, "alice").path.endpoint == alice_->station->at.text();
  }));
  wire_.extra_delay = [](const Endpoint& from, const Endpoint&) {
    return from == kAttacker ? Nanoseconds(-10ms) : 0ns;
  };
  std::size_t raced = 0;
  bool captured = false;
  wire_.tap = [&](const Endpoint& from, const Endpoint& to, ConstBytes bytes) {
    if (from != alice_->station->at || to != bob_->station->at) return;
    ++raced;
    wire_.send(kAttacker, to, to_vector(bytes));
  };
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(alice_->node->send(wire_.now(), "bob", "chat", bytes_of(std::to_string(i))));
    run_for(100ms);
    captured = captured || seen(*bob_, "alice").path.endpoint == kAttacker.text();
  }
  run_for(5s);
  EXPECT_GT(raced, 0u);
  EXPECT_FALSE(captured);
  ASSERT_EQ(bob_->messages.size(), 101u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(bob_->messages[i + 1].second, std::to_string(i));
}

// Case 8: an Id is not registered without its key.
TEST_F(Attack, SomebodyElsesCertificateLetsNobodyIn) {
  meet();
  const OwnIdentity stranger = make_identity(Role::kPeer, identity_.network, rng_);
  const auto mallory = impose(stranger);
  mallory->present(alice_->identity.chain, 99);
  mallory->say(control::Register{.sequence = 1, .table = {}, .network_info = {}, .links = {}});
  run_for(2s);
  EXPECT_EQ(mallory->refusals(), std::vector{control::RefusedCode::kCertificateInvalid});
  EXPECT_FALSE(mallory->heard(control::FrameType::kRegistered));
  EXPECT_FALSE(mallory->heard(control::FrameType::kKcp));
  ASSERT_TRUE(bob_->node->send(wire_.now(), "alice", "chat", bytes_of("you?")));
  EXPECT_TRUE(wire_.run(2s, [&] { return !alice_->messages.empty(); }));
}

// Case 8: two holders of one key: who talks with the earlier one goes on doing so, and no message
// falls between them.
TEST_F(Attack, ASecondHolderOfAKeyTakesNoMessageAway) {
  meet();
  const Endpoint elsewhere{Address::v4(198, 51, 100, 77), 4000};
  const auto later = start(alice_->config, alice_->identity.clone(), elsewhere, 6);
  later->node->subscribe("chat");
  run_for(10s);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(bob_->node->send(wire_.now(), "alice", "chat", bytes_of(std::to_string(i))));
    run_for(2s);
  }
  run_for(10s);
  EXPECT_EQ(later->messages.size() + alice_->messages.size(), 10u);
}

// A stale run is told so, and changes nothing.
TEST_F(Attack, AnEarlierRunIsRefused) {
  meet();
  const auto earlier = impose(alice_->identity);
  earlier->present(alice_->identity.chain, 4);  // she runs with 5
  run_for(1s);
  EXPECT_EQ(earlier->refusals(), std::vector{control::RefusedCode::kStaleEpoch});
}

// Nobody fills our log, not even a member.
TEST_F(Attack, AMemberThatRefusesEverythingIsLoggedNowAndThen) {
  meet();
  alice_->station->down = true;
  const auto mallory = impose(alice_->identity);
  mallory->present(alice_->identity.chain, 6);
  run_for(1s);
  const auto notices = [&] {
    return std::ranges::count_if(hub_->events, [](const Event& event) {
      const auto* notice = std::get_if<Notice>(&event);
      return notice && notice->text.find("refuses us") != std::string::npos;
    });
  };
  for (int i = 0; i < 300; ++i) {
    mallory->say(control::Refused{control::FrameType::kHello, control::RefusedCode::kBusy, "no"});
    run_for(100ms);
  }
  EXPECT_GE(notices(), 1);
  EXPECT_LE(notices(), 4);
}

}  // namespace
}  // namespace ginnel::node
