// A node and a stock WireGuard peer (a bare Device), back to back in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/drain.h"
#include "base/timers.h"
#include "node/founder.h"
#include "node/node.h"
#include "proto/control/frame.h"

namespace ginnel::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Wall kStockEpoch{1'700'000'000'000'000'000};
const Prefix kStockRange = *Prefix::parse("10.66.0.0/16");
const Endpoint kNodeAt = *Endpoint::parse("203.0.113.9:7700");
const Endpoint kPhoneAt = *Endpoint::parse("198.51.100.7:51820");
const Address kPhone = *Address::parse("10.66.200.7");

ByteVector inner_packet(const Address& source, const Address& destination, std::size_t size = 28) {
  ByteVector out(size);
  out[0] = std::byte{0x45};
  out[2] = static_cast<std::byte>(size >> 8);
  out[3] = static_cast<std::byte>(size & 0xff);
  std::ranges::copy(source.wire(), out.begin() + 12);
  std::ranges::copy(destination.wire(), out.begin() + 16);
  return out;
}

class StockPeers : public testing::Test {
 protected:
  struct Box {  // an Outbox
    StockPeers& world;
    bool of_node;
    std::array<std::byte, 2048> buffer{};
    Bytes slot() { return buffer; }
    void commit(const Transmit& t) {
      const ConstBytes bytes = ConstBytes(buffer).first(t.size);
      (of_node ? world.to_phone_ : world.to_node_).emplace_back(t.to, to_vector(bytes));
    }
  };

  void SetUp() override {
    const OwnIdentity own = found_network({"hub", kStockRange}, rng_, wall()).value();
    auto key = crypto::SessionSecret::generate(rng_);
    phone_ = std::make_unique<wg::Device>(wg::Config(), std::move(key), rng_.fork("phone"), now_,
                                          wall());
    stock_.name = "phone";
    stock_.key = phone_->public_key();
    stock_.allowed = {Prefix::host(kPhone)};
    config_.network_name = "home";
    config_.overlay_v4 = kStockRange;
    config_.hub = HubConfig{.public_endpoint = kNodeAt, .probe_port = 0};
    identity_ = own.clone();
  }
  void start() {
    config_.stock_peers = {stock_};
    node_ = std::make_unique<Node>(config_, identity_.clone(), Stored{}, 1, rng_.fork("node"), now_,
                                   wall());
    own_ = node_->self().addresses[0];
    meet({});
  }
  // The phone is told who the node is.
  void meet(wg::PeerConfig config) {
    if (handle_.value() != 0) phone_->remove_peer(handle_);
    if (stock_.preshared) config.preshared = crypto::PresharedKey(*stock_.preshared);
    handle_ =
        phone_->add_peer(now_, crypto::public_of(identity_.session), std::move(config)).value();
    phone_->set_endpoint(now_, handle_, kSocket, kNodeAt);
  }
  Wall wall() const { return kStockEpoch + (now_ - Instant{}); }

  // A packet of the phone's, from its own address unless told otherwise.
  void phone_sends(const Address& source = kPhone) {
    std::array<std::byte, 2048> out;
    const auto size = phone_->seal(now_, handle_, inner_packet(source, own_), out);
    if (size) to_node_.emplace_back(kNodeAt, to_vector(Bytes(out).first(*size)));
    settle();
  }
  void node_sends(std::size_t size = 28) {
    node_->handle_tun_packet(now_, inner_packet(own_, kPhone, size));
    settle();
  }
  void settle() {
    for (bool more = true; more;) {
      drain_both();
      more = !to_node_.empty() || !to_phone_.empty();
      for (auto& [to, bytes] : std::exchange(to_node_, {})) {
        node_->handle_datagram(now_, kSocket, phone_at_, bytes);
      }
      for (auto& [to, bytes] : std::exchange(to_phone_, {})) phone_hears(to, bytes);
    }
  }
  void phone_hears(const Endpoint& to, Bytes bytes) {
    sent_to_.push_back(to);
    if (to != phone_at_) return;
    const auto opened = phone_->open(now_, kSocket, kNodeAt, bytes);
    if (!opened || opened->plaintext.empty()) return;
    if (control::inner_kind(opened->plaintext) == control::InnerKind::kFrames) ++frames_;
    if (control::inner_kind(opened->plaintext) == control::InnerKind::kIp) ++phone_received_;
  }
  void drain_both() {
    Box node_box{*this, true};
    drain(*node_, now_, node_box, [&](const Event& event) {
      if (std::holds_alternative<TunPacket>(event)) ++node_received_;
      if (const auto* notice = std::get_if<Notice>(&event)) notices_ += notice->text + "\n";
    });
    Box phone_box{*this, false};
    drain(*phone_, now_, phone_box, [](const auto&) {});
  }
  void run(Nanoseconds time) {
    const Instant end = now_ + time;
    for (;;) {
      settle();
      const auto next = earlier(node_->next_timeout(), phone_->next_timeout());
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      node_->handle_timeout(now_);
      phone_->handle_timeout(now_);
    }
    now_ = end;
  }
  PeerInfo row() const { return node_->status(now_).peers.at(0); }

  Rng rng_ = Rng::from_seed(5);
  Instant now_{1'000'000'000};
  Config config_;
  OwnIdentity identity_;
  StockPeer stock_;
  std::unique_ptr<wg::Device> phone_;
  std::unique_ptr<Node> node_;
  wg::PeerHandle handle_;
  Address own_;
  Endpoint phone_at_ = kPhoneAt;
  std::vector<std::pair<Endpoint, ByteVector>> to_node_, to_phone_;
  std::vector<Endpoint> sent_to_;  // where the node's datagrams went
  std::string notices_;
  int node_received_ = 0, phone_received_ = 0, frames_ = 0;
};

TEST_F(StockPeers, APeerWithoutACertificateSendsAndGetsPackets) {
  start();
  phone_sends();
  run(1s);
  EXPECT_EQ(node_received_, 1);
  node_sends();
  EXPECT_EQ(phone_received_, 1);
}

// docs/decisions/0006: "no Ginnel frame goes there: all that such a peer gets is IP packets".
TEST_F(StockPeers, NoFrameEverGoesToIt) {
  start();
  for (int i = 0; i < 60; ++i) {
    phone_sends();
    node_sends(1392);
    run(10s);
  }
  node_->leave(now_);
  run(10s);
  EXPECT_EQ(frames_, 0);
  EXPECT_EQ(phone_received_, 60);
}

// WireGuard section 2: "the source IP must correspond with the peer that the packet came under".
TEST_F(StockPeers, APacketFromAnotherSourceIsDropped) {
  start();
  phone_sends();
  run(1s);
  phone_sends(*Address::parse("10.66.200.8"));
  phone_sends(own_);
  EXPECT_EQ(node_received_, 1);
}

TEST_F(StockPeers, AWidePrefixLendsNobodyTheNodesOwnAddress) {
  stock_.allowed = {kStockRange};
  start();
  phone_sends();
  run(1s);
  phone_sends(own_);
  EXPECT_EQ(node_received_, 1);
}

TEST_F(StockPeers, ThePresharedKeyMustBeTheSame) {
  stock_.preshared.emplace().fill(std::byte{7});
  start();
  phone_sends();
  run(1s);
  EXPECT_EQ(node_received_, 1);
  stock_.preshared->fill(std::byte{8});
  now_ = now_ + 10s;
  meet({});
  phone_sends();
  run(1s);
  EXPECT_EQ(node_received_, 1);
}

// WireGuard section 2.1: the endpoint is where the last authenticated packet came from.
TEST_F(StockPeers, ItsEndpointFollowsAuthenticatedPackets) {
  start();
  phone_sends();
  run(1s);
  phone_at_.port = 40'000;
  ByteVector forged(64);
  forged[0] = std::byte{4};
  node_->handle_datagram(now_, kSocket, *Endpoint::parse("192.0.2.1:1"), forged);
  node_sends();
  EXPECT_EQ(phone_received_, 0) << "it still goes to the old place";
  phone_sends();
  node_sends();
  EXPECT_EQ(phone_received_, 1);
  EXPECT_EQ(row().path.endpoint, phone_at_.text());
}

// docs/design.md section 5: "WireGuard's own 5 s hold toward stock peers".
TEST_F(StockPeers, ALostInitiationIsRepeatedAfterWireGuardsFiveSeconds) {
  stock_.endpoint = *Endpoint::parse("198.51.100.200:9");  // nobody there
  start();
  node_sends();
  run(4900ms);
  EXPECT_EQ(sent_to_.size(), 1u);
  run(500ms);
  EXPECT_EQ(sent_to_.size(), 2u);
}

TEST_F(StockPeers, WithKeepaliveItIsCalledAtOnceAndHeldOpen) {
  stock_.endpoint = kPhoneAt;
  stock_.keepalive_seconds = 25;
  start();
  run(1s);
  EXPECT_EQ(row().state, PeerState::kOnline);
  const std::size_t before = sent_to_.size();
  run(100s);
  EXPECT_GE(sent_to_.size(), before + 4);
}

// All keys are wiped by then; the next packet begins a handshake.
TEST_F(StockPeers, AfterTenIdleMinutesTheNodeReachesItAgain) {
  start();
  phone_sends();
  run(10min);
  node_sends();
  run(1s);
  EXPECT_EQ(phone_received_, 1);
}

TEST_F(StockPeers, ItIsARowWithoutAnId) {
  start();
  EXPECT_EQ(row().state, PeerState::kDown);
  phone_sends();
  run(1s);
  EXPECT_TRUE(row().id.is_nil());
  EXPECT_EQ(row().name, "phone");
  EXPECT_EQ(row().state, PeerState::kOnline);
  EXPECT_EQ(row().path.kind, PathKind::kDirect);
  EXPECT_EQ(row().path.endpoint, kPhoneAt.text());
  EXPECT_THAT(row().addresses, ElementsAre(kPhone.text()));
  run(170s);
  EXPECT_EQ(row().state, PeerState::kOnline);
  run(30s);
  EXPECT_EQ(row().state, PeerState::kDown);
}

TEST_F(StockPeers, WhoSendsItAMessageIsToldWhatItIs) {
  start();
  const auto sent = node_->send(now_, "phone", "default", bytes_of("hello"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::kUnknownPeer);
  EXPECT_THAT(sent.error().text, HasSubstr("stock WireGuard peer"));
}

TEST_F(StockPeers, OneIsLetInWhileTheNodeRuns) {
  const StockPeer later = stock_;
  stock_.name = "other";
  stock_.key = crypto::public_of(crypto::SessionSecret::generate(rng_));
  stock_.allowed = {*Prefix::parse("10.66.201.0/24")};
  start();
  ASSERT_TRUE(node_->add_stock_peer(now_, later));
  phone_sends();
  run(1s);
  EXPECT_EQ(node_received_, 1);
}

TEST_F(StockPeers, ANameAKeyOrARangeThatIsTakenIsRefused) {
  start();
  const auto refusal = [&](auto change) {
    StockPeer peer = stock_;
    peer.name = "tablet";
    peer.key = crypto::public_of(crypto::SessionSecret::generate(rng_));
    peer.allowed = {*Prefix::parse("10.66.200.8/32")};
    change(peer);
    const auto added = node_->add_stock_peer(now_, peer);
    return added ? std::nullopt : std::optional(added.error().code);
  };
  EXPECT_EQ(refusal([](StockPeer& p) { p.name = "phone"; }), Errc::kNameTaken);
  EXPECT_EQ(refusal([](StockPeer& p) { p.name = "hub"; }), Errc::kNameTaken);
  EXPECT_EQ(refusal([&](StockPeer& p) { p.key = stock_.key; }), Errc::kExists);
  EXPECT_EQ(refusal([&](StockPeer& p) { p.key = crypto::public_of(identity_.session); }),
            Errc::kUsage);
  EXPECT_EQ(refusal([&](StockPeer& p) { p.key = {}; }), Errc::kUsage);
  EXPECT_EQ(refusal([&](StockPeer& p) { p.allowed = {Prefix::host(own_)}; }), Errc::kAddressInUse);
  EXPECT_EQ(refusal([&](StockPeer& p) { p.allowed = stock_.allowed; }), Errc::kAddressInUse);
  EXPECT_EQ(refusal([](StockPeer&) {}), std::nullopt);
}

TEST_F(StockPeers, ItsFreeAddressesAreTheSameEachTimeAndNobodyElses) {
  start();
  const auto key = crypto::public_of(crypto::SessionSecret::generate(rng_));
  const auto first = node_->free_addresses(key).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_TRUE(kStockRange.contains(first[0]));
  EXPECT_FALSE(first[1].is_v4());
  EXPECT_EQ(node_->free_addresses(key).value(), first);
  StockPeer peer = stock_;
  peer.name = "tablet";
  peer.key = key;
  peer.allowed = {Prefix::host(first[0]), Prefix::host(first[1])};
  ASSERT_TRUE(node_->add_stock_peer(now_, peer));
  EXPECT_NE(node_->free_addresses(key).value()[0], first[0]);
}

// The forwarding threads decide by the table what control decides by Node.
TEST_F(StockPeers, TheForwardingTableHasItsPrefixesButNotTheNodesOwn) {
  stock_.allowed = {kStockRange, *Prefix::parse("fd00:1::/64")};
  start();
  phone_sends();
  run(1s);
  const forward::ForwardingTable table(node_->forwarding_table());
  const auto* to = table.route(kPhone);
  ASSERT_NE(to, nullptr);
  EXPECT_FALSE(to->takes_frames);
  EXPECT_NE(to->key_pair, nullptr);
  EXPECT_EQ(to->to, kPhoneAt);
  EXPECT_EQ(table.route(*Address::parse("fd00:1::5")), to);
  EXPECT_EQ(table.route(own_), nullptr);
}

}  // namespace
}  // namespace ginnel::node
