// A node core whose packets a pretended plane moves, and a stock WireGuard peer that calls it.
#include "node/forwarding_control.h"

#include <gtest/gtest.h>

#include "base/drain.h"
#include "node/founder.h"

namespace ginnel::node {
namespace {

constexpr Wall kPlaneWall{1'700'000'000'000'000'000};
constexpr Instant kPlaneNow{1'000'000'000};
const Endpoint kCallerAt = *Endpoint::parse("198.51.100.7:51820");
const Endpoint kCalledAt = *Endpoint::parse("203.0.113.9:7700");

// Keeps what it is told.
struct PretendedPlane {
  bool change_relay(const forward::RelayChange& change) {
    if (changes.size() == room) return false;
    changes.push_back(change);
    return true;
  }
  void publish(std::unique_ptr<const forward::ForwardingTable> table) {
    tables.push_back(std::move(table));
  }
  void retire(std::unique_ptr<wg::KeyPair> pair) { retired.push_back(std::move(pair)); }
  bool inject(const forward::ToControl& early) {
    injected.push_back(to_vector(early.bytes));
    return true;
  }

  std::size_t room = 100;  // for relay changes
  std::vector<std::unique_ptr<const forward::ForwardingTable>> tables;
  std::vector<std::unique_ptr<wg::KeyPair>> retired;
  std::vector<forward::RelayChange> changes;
  std::vector<ByteVector> injected;
};

struct OneSlot {  // an Outbox
  std::array<std::byte, 2048> buffer{};
  ByteVector last{};
  Bytes slot() { return buffer; }
  void commit(const Transmit& t) { last = to_vector(Bytes(buffer).first(t.size)); }
};

class ForwardingControlTest : public testing::Test {
 protected:
  void SetUp() override {
    const Prefix range = *Prefix::parse("10.66.0.0/16");
    const OwnIdentity own = found_network({"hub", range}, rng_, kPlaneWall).value();
    caller_ = std::make_unique<wg::Device>(wg::Config(), crypto::SessionSecret::generate(rng_),
                                           rng_.fork("caller"), kPlaneNow, kPlaneWall);
    Config config;
    config.network_name = "home";
    config.overlay_v4 = range;
    config.hub = HubConfig{.public_endpoint = kCalledAt, .probe_port = 0};
    config.forwarding_threads = true;
    StockPeer& stock = config.stock_peers.emplace_back();
    stock.name = "phone";
    stock.key = caller_->public_key();
    stock.allowed = {*Prefix::parse("10.66.200.7/32")};
    node_ = std::make_unique<Node>(config, own.clone(), Stored{}, 1, rng_.fork("node"), kPlaneNow,
                                   kPlaneWall);
    control_ = std::make_unique<ForwardingControl>(*node_);
    called_ = caller_->add_peer(kPlaneNow, crypto::public_of(own.session), {}).value();
    caller_->set_endpoint(kPlaneNow, called_, kSocket, kCalledAt);
  }
  // The caller's initiation reaches the node, which then has a key pair.
  void call() {
    caller_->begin_handshake(kPlaneNow, called_);
    OneSlot initiation;
    drain(*caller_, kPlaneNow, initiation, [](const auto&) {});
    node_->handle_datagram(kPlaneNow, kSocket, kCallerAt, initiation.last);
    drain_node();
  }
  void drain_node() {
    OneSlot out;
    drain(*node_, kPlaneNow, out, [&](Event event) { control_->handle(event); });
  }
  void tell_unknown(wg::ReceiverIndex index) {
    ByteVector packet(32, std::byte{4});
    control_->take(kPlaneNow, {.kind = forward::ToControl::Kind::kUnknownIndex,
                               .from = {kSocket, kCallerAt},
                               .index = index,
                               .bytes = packet});
  }
  wg::ReceiverIndex own_index() const {
    return node_->forwarding_table().origins.at(0).key_pair->local_index();
  }

  Rng rng_ = Rng::from_seed(7);
  std::unique_ptr<wg::Device> caller_;
  wg::PeerHandle called_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<ForwardingControl> control_;
  PretendedPlane plane_;
};

TEST_F(ForwardingControlTest, ANewKeyPairIsPublishedOnce) {
  call();
  control_->publish(plane_);
  ASSERT_EQ(plane_.tables.size(), 1u);
  EXPECT_NE(plane_.tables[0]->origin(own_index()), nullptr);
  control_->publish(plane_);
  EXPECT_EQ(plane_.tables.size(), 1u);
}

TEST_F(ForwardingControlTest, WhatCameBeforeItsTableIsGivenBackBehindIt) {
  call();
  tell_unknown(own_index());
  EXPECT_TRUE(plane_.injected.empty());
  control_->publish(plane_);
  EXPECT_EQ(plane_.tables.size(), 1u);
  EXPECT_EQ(plane_.injected, (std::vector<ByteVector>{ByteVector(32, std::byte{4})}));
  control_->publish(plane_);
  EXPECT_EQ(plane_.injected.size(), 1u);
}

// The plane met it before the table was out, control hears of it afterwards.
TEST_F(ForwardingControlTest, WhatCameBeforeItsTableIsGivenBackAlthoughTheTableIsOutByNow) {
  call();
  control_->publish(plane_);
  tell_unknown(own_index());
  control_->publish(plane_);
  EXPECT_EQ(plane_.injected.size(), 1u);
  EXPECT_EQ(plane_.tables.size(), 1u);
}

TEST_F(ForwardingControlTest, WhatIsOfNoKeyPairIsDropped) {
  call();
  tell_unknown(wg::ReceiverIndex(own_index().value() + 1));
  control_->publish(plane_);
  EXPECT_TRUE(plane_.injected.empty());
}

TEST_F(ForwardingControlTest, AFloodOfWhatCameEarlyIsBounded) {
  call();
  for (std::size_t i = 0; i < 2 * ForwardingControl::kEarlyMax; ++i) tell_unknown(own_index());
  control_->publish(plane_);
  EXPECT_EQ(plane_.injected.size(), ForwardingControl::kEarlyMax);
}

TEST_F(ForwardingControlTest, RelayChangesThatThePlaneHasNoRoomForWaitInTheirOrder) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    Event event = RelayChanged{
        {.kind = forward::RelayChange::Kind::kRemove, .attachment = {.index = relay::Index(i)}}};
    EXPECT_TRUE(control_->handle(event));
  }
  plane_.room = 2;
  control_->publish(plane_);
  EXPECT_EQ(plane_.changes.size(), 2u);
  plane_.room = 3;
  control_->publish(plane_);
  ASSERT_EQ(plane_.changes.size(), 3u);
  EXPECT_EQ(plane_.changes[2].attachment.index, relay::Index(2));
}

TEST_F(ForwardingControlTest, OtherEventsAreNotThePlanes) {
  Event event = TunPacket{};
  EXPECT_FALSE(control_->handle(event));
}

}  // namespace
}  // namespace ginnel::node
