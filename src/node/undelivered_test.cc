// What comes back of plain sends: whole nodes whose peers restart, leave, vanish or never come.
#include <gtest/gtest.h>

#include <algorithm>

#include "node/node.h"
#include "node/testing/network.h"

namespace ginnel::node {
namespace {

class UndeliveredTest : public NodeTest {
 protected:
  void meet() {
    alice_ = join_and_start("alice");
    auto [config, identity] = enrol("bob");
    bob_config_ = config;
    bob_identity_ = identity.clone();
    bob_at_ = next_place();
    bob_ = start(std::move(config), std::move(identity), bob_at_, 5);
    ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice_, "bob") && knows(*bob_, "alice"); }));
    bob_->node->subscribe("chat");
    ASSERT_TRUE(send("0"));
    ASSERT_TRUE(wire_.run(2s, [&] { return bob_->messages.size() == 1; }));
    wire_.run(5s, [] { return false; });  // alice knows that it arrived, and the path is direct
  }
  bool send(std::string_view text) {
    return alice_->node->send(wire_.now(), "bob", "chat", bytes_of(text)).has_value();
  }
  void cut(bool off) {
    if (!off) return void(wire_.drop = nullptr);
    wire_.drop = [](const Endpoint&, const Endpoint&) { return true; };
  }
  std::vector<Undelivered> undelivered() const {
    std::vector<Undelivered> out;
    for (const Event& event : alice_->events) {
      if (const auto* back = std::get_if<Undelivered>(&event)) out.push_back(*back);
    }
    return out;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const Undelivered& back : undelivered()) out.emplace_back(text_of(back.data));
    return out;
  }
  std::size_t arrived(const std::string& text) const {
    return static_cast<std::size_t>(
        std::ranges::count(bob_->messages, text, &std::pair<std::string, std::string>::second));
  }
  // Bob runs again, under the same key; nobody has said goodbye.
  void restart_bob() {
    bob_->station->down = true;
    bob_ = start(bob_config_, bob_identity_.clone(), bob_at_, 6);
    bob_->node->subscribe("chat");
  }

  std::shared_ptr<Running> alice_, bob_;
  Config bob_config_;
  OwnIdentity bob_identity_;
  Endpoint bob_at_;
};

// include/ginnel/node.h: what is not known to have arrived comes back when the peer restarts.
TEST_F(UndeliveredTest, WhatAPeerThatRestartsMayNotHaveComesBackOnce) {
  meet();
  cut(true);
  ASSERT_TRUE(send("1"));
  ASSERT_TRUE(send("2"));
  wire_.run(5s, [] { return false; });
  restart_bob();
  cut(false);
  ASSERT_TRUE(wire_.run(60s, [&] { return texts().size() == 2; }));
  EXPECT_EQ(texts(), (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(undelivered()[0].sent);
  EXPECT_EQ(undelivered()[0].error.code, Errc::kUnreachable);
  EXPECT_EQ(undelivered()[0].channel, "chat");
  ASSERT_TRUE(send("3"));
  ASSERT_TRUE(wire_.run(60s, [&] { return arrived("3") == 1; }));
  wire_.run(60s, [] { return false; });
  EXPECT_EQ(arrived("1") + arrived("2"), 0u);
  EXPECT_EQ(texts().size(), 2u);
}

TEST_F(UndeliveredTest, AfterRetainWhatASilentPeerDidNotTakeComesBackAndIsNotDeliveredLater) {
  meet();
  cut(true);
  ASSERT_TRUE(send("1"));
  wire_.run(29s, [] { return false; });
  EXPECT_TRUE(texts().empty());
  ASSERT_TRUE(wire_.run(5s, [&] { return texts().size() == 1; }));
  cut(false);
  ASSERT_TRUE(send("2"));
  ASSERT_TRUE(wire_.run(90s, [&] { return arrived("2") == 1; }));
  wire_.run(120s, [] { return false; });
  EXPECT_EQ(arrived("1"), 0u);
  EXPECT_EQ(texts(), std::vector<std::string>{"1"});
}

TEST_F(UndeliveredTest, AnAcknowledgedMessageOutlivesRetainAndIsGivenOnce) {
  meet();
  cut(true);
  alice_->node->send_acked(wire_.now(), 1, {"bob"}, "chat", bytes_of("acked"), 300s);
  wire_.run(100s, [] { return false; });
  EXPECT_TRUE(alice_->settled.empty());
  cut(false);
  ASSERT_TRUE(wire_.run(120s, [&] { return alice_->settled.size() == 1; }));
  EXPECT_FALSE(alice_->settled[0].error);
  wire_.run(60s, [] { return false; });
  EXPECT_EQ(arrived("acked"), 1u);
  EXPECT_TRUE(texts().empty());
}

// Bob takes it, but not a word of his comes back for longer than retain.
TEST_F(UndeliveredTest, AnAcknowledgedMessageThatWasTakenUnseenIsNotGivenAgain) {
  meet();
  const Endpoint alice_at = alice_->station->at;
  wire_.drop = [&](const Endpoint&, const Endpoint& to) { return to == alice_at; };
  alice_->node->send_acked(wire_.now(), 1, {"bob"}, "chat", bytes_of("acked"), 300s);
  ASSERT_TRUE(wire_.run(5s, [&] { return arrived("acked") == 1; }));
  wire_.run(100s, [] { return false; });
  cut(false);
  ASSERT_TRUE(wire_.run(150s, [&] { return alice_->settled.size() == 1; }));
  EXPECT_FALSE(alice_->settled[0].error);
  wire_.run(30s, [] { return false; });
  EXPECT_EQ(arrived("acked"), 1u);
}

TEST_F(UndeliveredTest, WhatIsUnderWayWhenAPeerLeavesComesBackAtOnce) {
  meet();
  bob_->node->leave(wire_.now());
  ASSERT_TRUE(send("1"));
  ASSERT_TRUE(wire_.run(1s, [&] { return texts().size() == 1; }));
  EXPECT_EQ(undelivered()[0].error.code, Errc::kUnreachable);
}

TEST_F(UndeliveredTest, AMessageToANameThatNobodyHasComesBackAsNotSent) {
  meet();
  ASSERT_TRUE(alice_->node->send(wire_.now(), "nobody", "chat", bytes_of("x")));
  wire_.run(9s, [] { return false; });
  EXPECT_TRUE(texts().empty());
  ASSERT_TRUE(wire_.run(2s, [&] { return texts().size() == 1; }));
  const Undelivered back = undelivered()[0];
  EXPECT_FALSE(back.sent);
  EXPECT_TRUE(back.peer.is_nil());
  EXPECT_EQ(back.peer_text, "nobody");
  EXPECT_EQ(back.error.code, Errc::kUnknownPeer);
}

TEST_F(UndeliveredTest, WhatCameBackIsCountedWithThePeer) {
  meet();
  cut(true);
  ASSERT_TRUE(send("1"));
  ASSERT_TRUE(wire_.run(60s, [&] { return texts().size() == 1; }));
  const auto info = alice_->node->peer_info(wire_.now(), bob_->node->self().id);
  EXPECT_EQ(info->losses.messages_unknown, 1u);
  EXPECT_EQ(info->losses.messages_not_sent, 0u);
}

TEST_F(UndeliveredTest, AShortCutLosesNothingAndNothingComesBack) {
  meet();
  cut(true);
  for (int i = 1; i <= 50; ++i) ASSERT_TRUE(send(std::to_string(i)));
  wire_.run(20s, [] { return false; });
  cut(false);
  ASSERT_TRUE(wire_.run(90s, [&] { return bob_->messages.size() == 51; }));
  for (int i = 0; i <= 50; ++i) {
    EXPECT_EQ(bob_->messages[static_cast<std::size_t>(i)].second, std::to_string(i));
  }
  EXPECT_TRUE(texts().empty());
}

}  // namespace
}  // namespace ginnel::node
