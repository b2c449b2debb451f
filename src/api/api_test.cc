// The library's calls over a core that is driven by hand: no thread, no socket.
#include <ginnel/node.h>
#include <gtest/gtest.h>

#include "api/node_impl.h"
#include "base/drain.h"
#include "node/founder.h"

namespace ginnel::api {
namespace {

constexpr Wall kEpoch{1'700'000'000'000'000'000};
const Prefix kRange = *Prefix::parse("10.66.0.0/16");

struct Nowhere {  // an outbox whose datagrams get lost
  std::array<std::byte, 2112> buffer{};
  std::span<std::byte> slot() { return buffer; }
  void commit(const Transmit&) {}
};

// What the program's side and the test see of the driver after the Node has taken it.
struct World {
  std::unique_ptr<node::Node> core;
  Instant now{1'000'000'000};
  Driver::EventHandler handler;
  bool closed = false;
  bool draining = false;

  void pump() {
    if (std::exchange(draining, true)) return;
    Nowhere outbox;
    for (bool more = true; more;) {
      more = false;
      (void)drain(*core, now, outbox, [&](const node::Event& event) {
        handler(*core, now, event);
        more = true;
      });
    }
    draining = false;
  }
  void advance(Nanoseconds time) {
    now = now + time;
    core->handle_timeout(now);
    pump();
  }
};

class ManualDriver final : public Driver {
 public:
  explicit ManualDriver(std::shared_ptr<World> world) : world_(std::move(world)) {}
  void start(EventHandler handler) override { world_->handler = std::move(handler); }
  bool with_core(const Work& work) override {
    if (world_->closed) return false;
    work(*world_->core, world_->now);
    world_->pump();
    return true;
  }
  bool wait_until(const Condition& condition, Nanoseconds limit) override {
    const Instant end = world_->now + limit;
    while (!condition(*world_->core, world_->now)) {
      if (world_->now >= end) return false;
      world_->advance(100ms);
    }
    return true;
  }
  void run() override {}
  void stop() override {}
  void close() override { world_->closed = true; }

 private:
  std::shared_ptr<World> world_;
};

// The node is a hub by the name of "solo"; what it sends to itself arrives.
class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto identity = node::found_network({"solo", kRange}, rng_, kEpoch).value();
    node::Config config;
    config.network_name = "home";
    config.overlay_v4 = kRange;
    config.hub = node::HubConfig{.public_endpoint = std::nullopt, .probe_port = 0};
    world_->core = std::make_unique<node::Node>(std::move(config), std::move(identity),
                                                node::Stored(), 1, rng_.fork("node"), world_->now,
                                                kEpoch);
    node_.emplace(std::make_unique<NodeImpl>(std::make_unique<ManualDriver>(world_)));
  }
  Subscription note_into(std::vector<std::string>& out, std::string_view channel) {
    return node_->on_message(channel, [&out](const Message& m) {
      out.push_back(std::string(m.from_name()) + ": " + m.text());
    });
  }

  Rng rng_ = Rng::from_seed(7);
  std::shared_ptr<World> world_ = std::make_shared<World>();
  std::optional<Node> node_;
};

TEST_F(ApiTest, ANodeWithoutGossipHasNoMembersAndNoTags) {
  EXPECT_TRUE(node_->members().empty());
  EXPECT_TRUE(node_->tags().empty());
  EXPECT_FALSE(node_->change_tags({{"rack", "7"}}));
}

TEST_F(ApiTest, AHandlerHearsOfMembersAndWhatIsNoMembersDoingIsNotTold) {
  std::vector<std::string> heard;
  const auto subscription = node_->on_member([&](const MemberInfo& member) {
    heard.push_back(member.name + " " + std::string(member_state_name(member.state)));
  });
  swim::MemberInfo bob;
  bob.name = "bob";
  bob.state = swim::State::kSuspect;
  const auto tell = [&](swim::AgentEvent event) {
    world_->handler(*world_->core, world_->now, node::Gossiped{std::move(event)});
  };
  tell(swim::Event(swim::Suspected{bob, "solo"}));
  tell(swim::Event(swim::LeaveDone{}));
  tell(swim::Gone{});
  EXPECT_EQ(heard, std::vector<std::string>{"bob suspect"});
}

TEST_F(ApiTest, ItKnowsWhoItIs) {
  EXPECT_EQ(node_->name(), "solo");
  EXPECT_EQ(node_->id(), world_->core->self().id);
}

TEST_F(ApiTest, AMessageComesOnceToEachHandlerOfItsChannelOnly) {
  std::vector<std::string> first, second, other;
  const auto a = note_into(first, "chat");
  const auto b = note_into(second, "chat");
  const auto c = note_into(other, "jobs");
  ASSERT_TRUE(node_->send("solo", "chat", "hello"));
  EXPECT_EQ(first, std::vector<std::string>{"solo: hello"});
  EXPECT_EQ(second, first);
  EXPECT_TRUE(other.empty());
}

TEST_F(ApiTest, ACancelledSubscriptionIsNotCalledAgain) {
  std::vector<std::string> cancelled, kept;
  auto a = note_into(cancelled, "chat");
  const auto b = note_into(kept, "chat");
  a.cancel();
  ASSERT_TRUE(node_->send("solo", "chat", "hello"));
  EXPECT_TRUE(cancelled.empty());
  EXPECT_EQ(kept.size(), 1u);
}

TEST_F(ApiTest, AHandlerMayEndItsOwnSubscription) {
  int calls = 0;
  Subscription once;
  once = node_->on_message("chat", [&](const Message&) {
    ++calls;
    once.cancel();
  });
  ASSERT_TRUE(node_->send("solo", "chat", "one"));
  ASSERT_TRUE(node_->send("solo", "chat", "two"));
  EXPECT_EQ(calls, 1);
}

TEST_F(ApiTest, AHandlerMaySendAndSubscribe) {
  std::vector<std::string> answers;
  Subscription inner;
  const auto outer = node_->on_message("ask", [&](const Message& m) {
    inner = note_into(answers, "answer");
    EXPECT_TRUE(node_->send(m.from().text(), "answer", "yes"));
  });
  ASSERT_TRUE(node_->send("solo", "ask", "may I?"));
  EXPECT_EQ(answers, std::vector<std::string>{"solo: yes"});
}

TEST_F(ApiTest, AnAcknowledgedSendToNobodyIsDoneAtOnce) {
  EXPECT_TRUE(node_->send_acked({}, "chat", {}, 1s).get().empty());
}

TEST_F(ApiTest, AnAcknowledgedSendListsEachThatFailedAtItsDeadline) {
  auto result = node_->send_acked({"bob", "carol"}, "chat", bytes_of("x"), 2s);
  world_->advance(1s);
  EXPECT_NE(result.wait_for(0s), std::future_status::ready);
  world_->advance(2s);
  ASSERT_EQ(result.wait_for(0s), std::future_status::ready);
  const auto failed = result.get();
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(failed[0].peer, "bob");
  EXPECT_EQ(failed[0].error.code, Errc::kUnknownPeer);
  EXPECT_EQ(failed[1].peer, "carol");
}

TEST_F(ApiTest, WhatIsNotAcknowledgedWhenTheNodeClosesHasFailed) {
  auto result = node_->send_acked({"bob"}, "chat", bytes_of("x"), 1h);
  node_.reset();
  ASSERT_EQ(result.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(result.get().at(0).error.code, Errc::kClosed);
}

TEST_F(ApiTest, ASubscriptionMayOutliveItsNode) {
  std::vector<std::string> got;
  auto late = note_into(got, "chat");
  node_.reset();
  late.cancel();
  EXPECT_TRUE(got.empty());
}

TEST_F(ApiTest, EachRefusalSaysWhy) {
  EXPECT_EQ(node_->send_datagram("bob", "chat", bytes_of("x")).error().code, Errc::kUnknownPeer);
  const ByteVector large(node_->max_datagram("solo") + 1);
  EXPECT_EQ(node_->send_datagram("solo", "chat", large).error().code, Errc::kTooLarge);
  EXPECT_FALSE(node_->path("bob"));
  EXPECT_TRUE(node_->why("bob").empty());
}

TEST_F(ApiTest, AHubIsOnlineByItself) {
  EXPECT_TRUE(node_->wait_online(1s));
  ASSERT_EQ(node_->hubs().size(), 1u);
  EXPECT_EQ(node_->hubs()[0].name, "solo");
  EXPECT_TRUE(node_->peers().empty());
}

TEST_F(ApiTest, ADeadlineMayBeForever) {
  auto result = node_->send_acked({"bob"}, "chat", bytes_of("x"), Nanoseconds::max());
  world_->advance(1h);
  EXPECT_NE(result.wait_for(0s), std::future_status::ready);
  EXPECT_TRUE(node_->wait_online(Nanoseconds::max()));
}

TEST_F(ApiTest, AFunctionIsCalledInsteadOfAFuture) {
  std::vector<Failed> failed;
  int calls = 0;
  node_->send_acked({"nobody"}, "chat", {}, 1s, [&](std::vector<Failed> result) {
    failed = std::move(result);
    ++calls;
  });
  world_->advance(2s);
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].peer, "nobody");
}

TEST_F(ApiTest, AFunctionThatIsCalledMaySendAgain) {
  std::vector<std::size_t> failed;
  node_->send_acked({"nobody"}, "chat", {}, 1s, [&](const std::vector<Failed>& first) {
    failed.push_back(first.size());
    node_->send_acked({"nobody", "none"}, "chat", {}, 1s, [&](const std::vector<Failed>& second) {
      failed.push_back(second.size());
    });
  });
  world_->advance(2s);
  EXPECT_EQ(failed, std::vector<std::size_t>{1});
  world_->advance(2s);
  EXPECT_EQ(failed, (std::vector<std::size_t>{1, 2}));
}

TEST_F(ApiTest, WhoAsksIsToldWhenTheNodeCloses) {
  std::optional<Errc> code;
  node_->request("nobody", "chat", {}, 1h, [&](const Result<Message, Error>& reply) {
    if (!reply) code = reply.error().code;
  });
  node_.reset();
  EXPECT_EQ(code, Errc::kClosed);
}

TEST_F(ApiTest, ANodeWithALoopOfItsOwnCannotBePolled) {
  EXPECT_EQ(node_->fd(), -1);
  EXPECT_FALSE(node_->next_deadline());
  const auto polled = node_->poll();
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code, Errc::kUsage);
}

TEST_F(ApiTest, ANodeThatWasMovedFromRefusesEachCall) {
  const Node taken = *std::move(node_);
  EXPECT_EQ(taken.name(), "solo");
  EXPECT_TRUE(node_->id().is_nil());
  EXPECT_EQ(node_->name(), "");
  EXPECT_EQ(node_->send("solo", "chat", "x").error().code, Errc::kClosed);
  EXPECT_EQ(node_->send_datagram("solo", "chat", {}).error().code, Errc::kClosed);
  EXPECT_EQ(node_->send_acked({"bob"}, "chat", {}, 1s).get().at(0).error.code, Errc::kClosed);
  auto subscription = node_->on_message("chat", [](const Message&) {});
  subscription.cancel();
  EXPECT_TRUE(node_->peers().empty());
  EXPECT_TRUE(node_->hubs().empty());
  EXPECT_FALSE(node_->path("solo"));
  EXPECT_TRUE(node_->why("solo").empty());
  EXPECT_FALSE(node_->wait_online(1s));
  node_->run();
  node_->stop();
}

TEST_F(ApiTest, AnEmptyHandlerIsNoSubscriber) {
  const auto none = node_->on_message("chat", nullptr);
  const auto path = node_->on_path(nullptr);
  ASSERT_TRUE(node_->send("solo", "chat", "kept"));
  std::vector<std::string> got;
  const auto chat = note_into(got, "chat");
  world_->pump();
  EXPECT_EQ(got, std::vector<std::string>{"solo: kept"});
}

// include/ginnel/node.h: what waited in vain comes back by on_undelivered.
TEST_F(ApiTest, AMessageToNobodyComesBackAfterTheResolveTimeout) {
  std::vector<std::string> back;
  const auto lost = node_->on_undelivered([&](const Undelivered& u) {
    EXPECT_EQ(u.outcome, Undelivered::Outcome::kNotSent);
    EXPECT_EQ(u.error.code, Errc::kUnknownPeer);
    back.push_back(std::string(u.peer_text) + "/" + std::string(u.channel) + ": " +
                   std::string(text_of(u.data)));
  });
  ASSERT_TRUE(node_->send("bob", "chat", "hello"));
  world_->advance(9s);
  EXPECT_TRUE(back.empty());
  world_->advance(2s);
  EXPECT_EQ(back, std::vector<std::string>{"bob/chat: hello"});
}

TEST_F(ApiTest, ARequestToNobodyFailsAtItsDeadline) {
  auto answer = node_->request("bob", "sum", "1 2", 3s);
  world_->advance(2s);
  EXPECT_NE(answer.wait_for(0s), std::future_status::ready);
  world_->advance(2s);
  EXPECT_EQ(answer.get().error().code, Errc::kUnknownPeer);
  auto open = node_->request("bob", "sum", "1 2", 3s);
  node_.reset();
  EXPECT_EQ(open.get().error().code, Errc::kClosed);
}

// What a Request sent back.
struct Sent {
  std::vector<std::string> answers;
  bool full = false;
  Request request() {
    return {Message({}, "alice", "sum", {}),
            [this](std::optional<Errc> code, ConstBytes data) -> Result<void, Error> {
              if (full) return Fail(Error{Errc::kWouldBlock, "", ""});
              answers.push_back(code ? std::string(code_name(*code)) : std::string(text_of(data)));
              return {};
            }};
  }
};

TEST(Request, IsAnsweredOnceByWhicheverCopy) {
  Sent sent;
  const Request request = sent.request();
  const Request copy = request;  // NOLINT: the point
  EXPECT_TRUE(copy.reply("3"));
  EXPECT_EQ(request.reply("4").error().code, Errc::kClosed);
  EXPECT_EQ(request.fail().error().code, Errc::kClosed);
  EXPECT_EQ(sent.answers, std::vector<std::string>{"3"});
}

TEST(Request, ThatNobodyAnsweredHasFailedWhenTheLastCopyGoes) {
  Sent sent;
  {
    std::optional<Request> first = sent.request();
    const Request second = *first;
    first.reset();
    EXPECT_TRUE(sent.answers.empty());
  }
  EXPECT_EQ(sent.answers, std::vector<std::string>{"E_REPLY_FAILED"});
}

TEST(Request, ThatFoundNoRoomMayBeAnsweredAgain) {
  Sent sent;
  const Request request = sent.request();
  sent.full = true;
  EXPECT_EQ(request.reply("3").error().code, Errc::kWouldBlock);
  sent.full = false;
  EXPECT_TRUE(request.reply("3"));
  EXPECT_EQ(sent.answers, std::vector<std::string>{"3"});
}

TEST(Message, ThatOwnsItsBytesOutlivesItsMaker) {
  std::optional<Message> made = Message::owning({}, "alice", "sum", to_vector(bytes_of("3")));
  const Message kept = *made;
  made.reset();
  EXPECT_EQ(kept.text() + std::string(kept.from_name()) + std::string(kept.channel()), "3alicesum");
}

TEST_F(ApiTest, AClosedDriverRefusesEachCall) {
  world_->closed = true;
  EXPECT_EQ(node_->send("solo", "chat", "x").error().code, Errc::kClosed);
  EXPECT_EQ(node_->send_acked({"bob"}, "chat", {}, 1s).get().at(0).error.code, Errc::kClosed);
  EXPECT_TRUE(node_->hubs().empty());
}

}  // namespace
}  // namespace ginnel::api
