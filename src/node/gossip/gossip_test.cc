// Members on frames alone: what gossip takes from whom. Whole nodes are in mesh_test.cc.
#include "node/gossip/gossip.h"

#include <gtest/gtest.h>

namespace ginnel::node {
namespace {

using Kind = control::Gossip::Kind;

PeerRecord record_of(const std::string& name, std::uint8_t number, Role role = Role::kPeer) {
  PeerRecord out;
  Id::Uuid uuid{};
  uuid[0] = number;
  out.id = Id(role, uuid);
  out.name = name;
  Address address = *Address::parse("fd00::1");
  address.bytes[15] = number;
  out.addresses = {address};
  return out;
}

ByteVector body_of(const control::Gossip& frame) {
  ByteVector out(2048);
  out.resize(control::write(frame, out));
  return out;
}

// One node's gossip, and what it knows of the others.
struct Side {
  explicit Side(const PeerRecord& self, const std::vector<PeerRecord>& all) : record(self) {
    for (const PeerRecord& other : all) {
      EXPECT_TRUE(pins.claim(other));
      if (other.id != self.id) directory.set_record(other);
    }
    gossip = std::make_unique<Gossip>(
        Gossip::Options{.self = self, .config = swim::Config::lan(), .epoch = 5}, directory, pins,
        Rng::from_seed(self.id.uuid()[0]), Instant{});
  }
  PeerRecord record;
  Directory directory;
  Pins pins;
  std::unique_ptr<Gossip> gossip;
};

class GossipTest : public ::testing::Test {
 protected:
  GossipTest() {
    for (const PeerRecord& record : all_) sides_.push_back(std::make_unique<Side>(record, all_));
  }
  Side& hub() { return *sides_[0]; }
  Side& alice() { return *sides_[1]; }
  Side& bob() { return *sides_[2]; }

  // Sessions between the hub and each peer; none between peers.
  void connect_to_hub() {
    for (std::size_t i = 1; i < sides_.size(); ++i) connect(hub(), *sides_[i]);
  }
  void connect(Side& a, Side& b) {
    live_[a.record.id].insert(b.record.id);
    live_[b.record.id].insert(a.record.id);
    for (Side* side : {&a, &b}) {
      Gossip::Reach reach{.live = live_[side->record.id]};
      for (const Id& id : reach.live) (id.is_hub() ? reach.hubs : reach.others).insert(id);
      side->gossip->set_reach(std::move(reach));
    }
    a.gossip->session_up(now_, b.record.id, 5);
    b.gossip->session_up(now_, a.record.id, 5);
  }
  // Every frame arrives 1 ms later.
  void run(Nanoseconds duration) {
    for (const Instant end = now_ + duration; now_ < end; now_ = now_ + 1ms) {
      for (const auto& side : sides_) side->gossip->handle_timeout(now_);
      for (const auto& side : sides_) move_from(*side);
    }
  }
  void move_from(Side& side) {
    side.gossip->settle(now_);
    for (const Id& id : side.gossip->take_wanted()) {
      EXPECT_TRUE(live_[side.record.id].contains(id));  // it begins no session
      ByteVector room(1168);
      while (const std::size_t size = side.gossip->poll_frame(now_, id, room)) {
        control::FrameReader frames(ConstBytes(room).first(size));
        const auto frame = frames.next();
        for (const auto& to : sides_) {
          if (to->record.id == id) to->gossip->handle_frame(now_, side.record.id, frame->body);
        }
      }
    }
  }
  ByteVector alive(const PeerRecord& who, const PeerRecord& at) {
    return swim::encode(swim::Alive{swim::Incarnation(9), who.name,
                                    {at.addresses[0], swim::kDefaultPort}, {},
                                    swim::Vsn{1, 5, 2, 2, 5, 5}});
  }

  const std::vector<PeerRecord> all_{record_of("hub", 1, Role::kHub), record_of("alice", 2),
                                     record_of("bob", 3)};
  std::vector<std::unique_ptr<Side>> sides_;
  std::map<Id, std::set<Id>> live_;
  Instant now_{1'000'000'000};
};

TEST_F(GossipTest, PeersThatHaveOnlyTheHubLearnOfEachOther) {
  connect_to_hub();
  run(3s);
  for (const auto& side : sides_) EXPECT_EQ(side->gossip->agent().swim().alive_count(), 3u);
}

TEST_F(GossipTest, AnAnswerToWhomWeHaveNoSessionWithGoesByTheHub) {
  connect_to_hub();
  run(3s);
  ASSERT_TRUE(alice().gossip->agent().query(now_, "uptime", {}, {}));
  run(3s);
  std::set<std::string> acked;
  while (const auto event = alice().gossip->poll_event()) {
    const auto* serf = std::get_if<swim::serf::SerfEvent>(&*event);
    const auto* ack = serf ? std::get_if<swim::serf::QueryAck>(serf) : nullptr;
    if (ack) acked.insert(ack->from);
  }
  EXPECT_EQ(acked, (std::set<std::string>{"alice", "bob", "hub"}));
}

// docs/wire/ginnel.md section 15: "if the pins give its name and its address to the same Id".
TEST_F(GossipTest, AMemberCannotClaimAnothersNameOrAddress) {
  connect_to_hub();
  const Id from = all_[2].id;
  const auto claim = [&](const PeerRecord& who, const PeerRecord& at) {
    const ByteVector datagram = alive(who, at);
    alice().gossip->handle_frame(
        now_, from, body_of({.kind = Kind::kDatagram, .address = {}, .data = datagram}));
  };
  const PeerRecord stranger = record_of("stranger", 9);
  claim(all_[0], all_[2]);
  claim(stranger, all_[2]);
  claim(stranger, stranger);
  EXPECT_FALSE(alice().gossip->agent().member("hub"));
  EXPECT_FALSE(alice().gossip->agent().member("stranger"));
  EXPECT_EQ(alice().gossip->agent().swim().dropped(swim::Drop::kNotAdmitted), 3u);
  claim(all_[2], all_[2]);
  EXPECT_TRUE(alice().gossip->agent().member("bob"));
}

TEST_F(GossipTest, OnlyAHubForwardsAndOnlyAHubsWordForASenderIsTaken) {
  connect_to_hub();
  connect(alice(), bob());
  const ByteVector datagram = alive(all_[2], all_[2]);
  const std::uint64_t before = alice().gossip->dropped();
  alice().gossip->handle_frame(
      now_, all_[2].id,
      body_of({.kind = Kind::kForward, .address = all_[0].addresses[0], .data = datagram}));
  alice().gossip->handle_frame(
      now_, all_[2].id,
      body_of({.kind = Kind::kForwarded, .address = all_[0].addresses[0], .data = datagram}));
  EXPECT_EQ(alice().gossip->dropped(), before + 2);
  EXPECT_FALSE(alice().gossip->agent().member("bob"));
}

TEST_F(GossipTest, StreamsEndWithTheSessionAndDamagedMessagesAreCounted) {
  connect_to_hub();
  alice().gossip->settle(now_);
  alice().gossip->session_down(all_[0].id);
  run(1s);
  const auto failed = [&] {
    while (const auto event = alice().gossip->poll_event()) {
      const auto* inner = std::get_if<swim::Event>(&*event);
      if (inner && std::get_if<swim::JoinFailed>(inner)) return true;
    }
    return false;
  };
  EXPECT_TRUE(failed());
  const std::uint64_t before = alice().gossip->dropped();
  alice().gossip->handle_frame(now_, all_[0].id, *from_hex("09"));
  EXPECT_EQ(alice().gossip->dropped(), before + 1);
}

TEST(StreamMessage, RoundTripsAndRefusesWhatIsCutOrUnknown) {
  const ByteVector bytes = write({.op = StreamOp::kData, .is_receivers = true, .number = 7,
                                  .data = bytes_of("hello")});
  const auto back = parse_stream_message(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->op, StreamOp::kData);
  EXPECT_TRUE(back->is_receivers);
  EXPECT_EQ(back->number, 7u);
  EXPECT_EQ(text_of(back->data), "hello");
  for (std::size_t size = 0; size < kStreamHeaderBytes; ++size) {
    EXPECT_FALSE(parse_stream_message(ConstBytes(bytes).first(size)));
  }
  EXPECT_FALSE(parse_stream_message(*from_hex("0300000000")));
}

}  // namespace
}  // namespace ginnel::node
