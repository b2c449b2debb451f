// A network by shared secret: whoever holds it is in, and nobody else.
#include "node/testing/network.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

class SecretNetwork : public NodeTest {
 protected:
  struct Secret {
    crypto::NetworkSecret key;
    crypto::PresharedKey preshared;
  };
  Secret make_secret() {
    return {crypto::NetworkSecret::generate(rng_), crypto::PresharedKey::generate(rng_)};
  }
  void SetUp() override {
    secret_ = make_secret();
    identity_ = holder("hub", Role::kHub, {});
    hub_ = start_hub(identity_, 1);
  }
  // As `init` makes it: with the network key, and a certificate that it signed itself.
  OwnIdentity holder(const std::string& name, Role role, std::optional<Address> ipv4) {
    return holder_of(secret_, name, role, ipv4, wall());
  }
  OwnIdentity holder_of(const Secret& secret, const std::string& name, Role role,
                        std::optional<Address> ipv4, Wall signed_at) {
    OwnIdentity out = make_identity(role, crypto::public_of(secret.key), rng_);
    out.network_key = secret.key.clone();
    out.preshared = secret.preshared.clone();
    const Issuer issuer(secret.key.clone(), kOverlay);
    out.chain = issuer
                    .issue({.role = role,
                            .identity = crypto::public_of(out.identity),
                            .session = crypto::public_of(out.session),
                            .name = name,
                            .tags = {},
                            .ipv4 = ipv4,
                            .reserved = {}},
                           Trust(out.network), signed_at)
                    .value();
    return out;
  }
  std::shared_ptr<Running> start_holder(OwnIdentity identity, const Stored& stored = {}) {
    Config config;
    config.network_name = "home";
    config.overlay_v4 = kOverlay;
    config.hubs = {{std::nullopt, {kHubAt}, "hub.example:7700"}};
    return start(std::move(config), std::move(identity), next_place(), 5, stored);
  }
  std::shared_ptr<Running> start_peer(const std::string& name) {
    return start_holder(holder(name, Role::kPeer, {}));
  }
  static std::vector<std::string> notices(const Running& of, std::string_view code) {
    std::vector<std::string> out;
    for (const Event& event : of.events) {
      const auto* notice = std::get_if<Notice>(&event);
      if (notice && notice->code == code) out.push_back(notice->text);
    }
    return out;
  }
  void wait(Nanoseconds time) {
    wire_.run(time, [] { return false; });
  }

  Secret secret_;
};

// docs/design.md section 4: "each node signs its own certificate".
TEST_F(SecretNetwork, HoldersMeetWithoutATokenAndTalk) {
  const auto alice = start_peer("alice");
  const auto bob = start_peer("bob");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  bob->node->subscribe("chat");
  ASSERT_TRUE(alice->node->send(wire_.now(), "bob", "chat", bytes_of("hi")));
  EXPECT_TRUE(wire_.run(2s, [&] { return bob->messages.size() == 1; }));
}

// "… so an outsider completes no handshake": not even one who learned the network key.
TEST_F(SecretNetwork, WhoLacksThePresharedKeyGetsNoSession) {
  Secret half = make_secret();
  half.key = secret_.key.clone();
  const auto mallory = start_holder(holder_of(half, "mallory", Role::kPeer, std::nullopt, wall()));
  wait(10s);
  EXPECT_FALSE(knows(*hub_, "mallory"));
  EXPECT_FALSE(mallory->node->has_all_hubs());
  for (const Event& event : mallory->events) EXPECT_FALSE(std::get_if<HubChanged>(&event));
}

// docs/cli.md, "Shared secret": "it sends that hub no handshake, and the hub sends it nothing but
// STUN answers."
TEST_F(SecretNetwork, AHubWithAnotherSecretIsShownAndGetsNoHandshake) {
  const auto stranger =
      start_holder(holder_of(make_secret(), "stranger", Role::kPeer, std::nullopt, wall()));
  const Endpoint at = stranger->station->at;
  int others = 0;
  wire_.tap = [&](const Endpoint& from, const Endpoint& to, ConstBytes bytes) {
    const bool between = from.address == at.address || to.address == at.address;
    if (between && !stun::is_stun(bytes, stun::Accept::kWithCookie)) ++others;
  };
  wait(40s);
  EXPECT_EQ(others, 0);
  const auto status = stranger->node->status(wire_.now());
  ASSERT_EQ(status.hubs.size(), 1u);
  EXPECT_TRUE(status.hubs.front().wrong_network);
  EXPECT_EQ(status.hubs.front().state, PeerState::kDown);
  EXPECT_TRUE(status.by_secret);
}

TEST_F(SecretNetwork, NobodyIsInvitedOrRevoked) {
  const auto alice = start_peer("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice"); }));
  EXPECT_EQ(hub_->node->invite(wire_.now(), {}).error().code, Errc::kSharedSecret);
  EXPECT_EQ(hub_->node->revoke(wire_.now(), "alice").error().code, Errc::kSharedSecret);
  EXPECT_EQ(alice->node->revoke(wire_.now(), "nobody").error().code, Errc::kSharedSecret);
}

// Each holder can sign a set with the network key. Equals shut nobody out.
TEST_F(SecretNetwork, ARevocationThatAnEqualSignedCountsForNothing) {
  OwnIdentity bobs = holder("bob", Role::kPeer, {});
  control::RevocationSet set;
  set.number = 1;
  set.entries = {{bobs.id(), ~std::uint64_t{0}}};
  control::sign_revocations(set, secret_.key);
  const Stored stored{{}, control::to_bytes(set), {}, {}};
  const auto alice = start_holder(holder("alice", Role::kPeer, {}), stored);
  const auto bob = start_holder(std::move(bobs));
  EXPECT_TRUE(wire_.run(3s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
}

// "Secret networks: by hash, the later certificate picks again."
TEST_F(SecretNetwork, WhoComesWithAnAddressThatIsTakenPicksAnotherOne) {
  OwnIdentity first = holder("alice", Role::kPeer, Address::v4(10, 66, 7, 7));
  OwnIdentity second = holder("bob", Role::kPeer, Address::v4(10, 66, 7, 7));
  const Id bobs_id = second.id();
  const auto alice = start_holder(std::move(first));
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice"); }));
  const auto bob = start_holder(std::move(second));
  ASSERT_TRUE(wire_.run(5s, [&] { return knows(*alice, "bob") && knows(*bob, "alice"); }));
  EXPECT_EQ(alice->node->self().addresses.front(), Address::v4(10, 66, 7, 7));
  const Address his = bob->node->self().addresses.front();
  EXPECT_NE(his, Address::v4(10, 66, 7, 7));
  EXPECT_TRUE(kOverlay.contains(his));
  EXPECT_EQ(bob->node->self().id, bobs_id);
  EXPECT_EQ(alice->node->peer_info(wire_.now(), bobs_id)->addresses.front(), his.text());
  EXPECT_TRUE(bob->disk.contains("certificate"));
  const auto told = std::ranges::count_if(
      bob->events, [](const Event& event) { return std::holds_alternative<SelfChanged>(event); });
  EXPECT_EQ(told, 1);
}

// A clash of names is nobody's to solve but their owners': both are told, with both Ids.
TEST_F(SecretNetwork, WhoComesWithANameThatIsTakenIsRefusedAndBothIdsAreShown) {
  const auto alice = start_peer("alice");
  ASSERT_TRUE(wire_.run(3s, [&] { return knows(*hub_, "alice"); }));
  const auto other = start_peer("alice");
  wait(5s);
  for (const Running* who : {hub_.get(), other.get()}) {
    const auto said = notices(*who, "E_NAME_CLASH");
    ASSERT_FALSE(said.empty());
    EXPECT_NE(said.front().find(alice->node->self().id.text()), std::string::npos);
    EXPECT_NE(said.front().find(other->node->self().id.text()), std::string::npos);
  }
  EXPECT_EQ(hub_->node->resolve("alice").value(), alice->node->self().id);
  EXPECT_TRUE(knows(*hub_, "alice"));
}

TEST_F(SecretNetwork, ACertificateRenewsItselfWithoutAnyHub) {
  hub_->station->down = true;
  const Wall long_ago = wall() + -std::chrono::hours(24 * 31);
  const auto alice = start_holder(holder_of(secret_, "alice", Role::kPeer, std::nullopt, long_ago));
  const Wall before = alice->node->self().not_after;
  wait(1s);
  EXPECT_GT(alice->node->self().not_after, before);
  EXPECT_TRUE(alice->disk.contains("certificate"));
}

}  // namespace
}  // namespace ginnel::node
