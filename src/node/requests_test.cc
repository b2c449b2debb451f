// Requests and replies between whole nodes.
#include <gtest/gtest.h>

#include "node/node.h"
#include "node/testing/network.h"

namespace ginnel::node {
namespace {

using control::ReplyCode;

class RequestsTest : public NodeTest {
 protected:
  void meet() {
    alice_ = join_and_start("alice");
    bob_ = join_and_start("bob");
    ASSERT_TRUE(wire_.run(3s, [&] { return knows(*alice_, "bob") && knows(*bob_, "alice"); }));
  }
  void ask(std::uint64_t call, std::string_view text, Nanoseconds deadline = 10s) {
    alice_->node->request(wire_.now(), call, "bob", "sum", bytes_of(text), deadline);
  }
  // Bob's program takes what waits.
  std::vector<Arrived> take() {
    std::vector<Arrived> out;
    const Id from = alice_->node->self().id;
    while (auto request = bob_->node->take_request(from, "sum")) out.push_back(*request);
    return out;
  }
  bool reply(const Arrived& request, std::string_view text,
             ReplyCode code = ReplyCode::kAnswered) {
    return bob_->node
        ->reply(wire_.now(), alice_->node->self().id, request.id, code, bytes_of(text))
        .has_value();
  }
  const RequestSettled* settled(std::uint64_t call) const {
    const RequestSettled* out = nullptr;
    for (const Event& event : alice_->events) {
      const auto* found = std::get_if<RequestSettled>(&event);
      if (!found || found->call != call) continue;
      EXPECT_EQ(out, nullptr) << "settled twice";
      out = found;
    }
    return out;
  }
  bool run(Nanoseconds limit, const std::function<bool()>& until) { return wire_.run(limit, until); }
  void run(Nanoseconds limit) {
    wire_.run(limit, [] { return false; });
  }

  std::shared_ptr<Running> alice_, bob_;
};

TEST_F(RequestsTest, ARequestIsAnsweredByTheReplyToIt) {
  meet();
  bob_->node->subscribe_requests("sum");
  ask(1, "one");
  ask(2, "two");
  std::vector<Arrived> got;
  ASSERT_TRUE(run(2s, [&] {
    for (Arrived& request : take()) got.push_back(std::move(request));
    return got.size() == 2;
  }));
  EXPECT_EQ(text_of(got[0].data), "one");
  EXPECT_TRUE(reply(got[1], "2"));  // in any order
  EXPECT_TRUE(reply(got[0], "1"));
  ASSERT_TRUE(run(2s, [&] { return settled(1) && settled(2); }));
  EXPECT_EQ(text_of(*settled(1)->reply), "1");
  EXPECT_EQ(text_of(*settled(2)->reply), "2");
  EXPECT_EQ(settled(1)->peer, bob_->node->self().id);
}

TEST_F(RequestsTest, AFailureOfTheReplierIsToldAsSuch) {
  meet();
  bob_->node->subscribe_requests("sum");
  ask(1, "one");
  ask(2, "two");
  std::vector<Arrived> got;
  ASSERT_TRUE(run(2s, [&] {
    for (Arrived& request : take()) got.push_back(std::move(request));
    return got.size() == 2;
  }));
  EXPECT_TRUE(reply(got[0], "", ReplyCode::kFailed));
  EXPECT_TRUE(reply(got[1], "", ReplyCode::kDenied));
  ASSERT_TRUE(run(2s, [&] { return settled(1) && settled(2); }));
  EXPECT_EQ(settled(1)->reply.error().code, Errc::kReplyFailed);
  EXPECT_EQ(settled(2)->reply.error().code, Errc::kDenied);
}

TEST_F(RequestsTest, WithoutAReplierTheDeadlineEndsItAndALaterReplierDoesNotGetIt) {
  meet();
  ask(1, "one", 3s);
  run(2900ms);
  EXPECT_EQ(settled(1), nullptr);
  ASSERT_TRUE(run(200ms, [&] { return settled(1) != nullptr; }));
  EXPECT_EQ(settled(1)->reply.error().code, Errc::kTimeout);
  run(1s);
  bob_->node->subscribe_requests("sum");
  run(5s);
  EXPECT_TRUE(take().empty());
}

TEST_F(RequestsTest, AReplyThatComesAfterTheDeadlineSettlesNothing) {
  meet();
  bob_->node->subscribe_requests("sum");
  ask(1, "one", 2s);
  std::vector<Arrived> got;
  ASSERT_TRUE(run(1s, [&] { return !(got = take()).empty(); }));
  run(3s);
  EXPECT_EQ(settled(1)->reply.error().code, Errc::kTimeout);
  (void)reply(got[0], "late");
  run(3s);
  EXPECT_FALSE(settled(1)->reply);
}

TEST_F(RequestsTest, ARequestIsAnsweredOnce) {
  meet();
  bob_->node->subscribe_requests("sum");
  ask(1, "one");
  std::vector<Arrived> got;
  ASSERT_TRUE(run(1s, [&] { return !(got = take()).empty(); }));
  EXPECT_TRUE(reply(got[0], "1"));
  EXPECT_FALSE(reply(got[0], "again"));
  run(2s);
  EXPECT_EQ(text_of(*settled(1)->reply), "1");
}

// API.md: requests and replies of any size that a channel carries.
TEST_F(RequestsTest, LargeRequestsAndRepliesArriveBitExact) {
  meet();
  bob_->node->subscribe_requests("sum");
  ByteVector large(3 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i * 31 % 251);
  alice_->node->request(wire_.now(), 1, "bob", "sum", large, 600s);
  std::vector<Arrived> got;
  ASSERT_TRUE(run(120s, [&] { return !(got = take()).empty(); }));
  EXPECT_EQ(got[0].data, large);
  EXPECT_TRUE(bob_->node->reply(wire_.now(), alice_->node->self().id, got[0].id,
                                ReplyCode::kAnswered, got[0].data));
  ASSERT_TRUE(run(120s, [&] { return settled(1) != nullptr; }));
  EXPECT_EQ(*settled(1)->reply, large);
}

TEST_F(RequestsTest, RepliesThatFindNoRoomWaitAndAllArrive) {
  meet();
  bob_->node->subscribe_requests("sum");
  for (std::uint64_t call = 1; call <= 8; ++call) ask(call, "x", 300s);
  std::vector<Arrived> got;
  ASSERT_TRUE(run(2s, [&] {
    for (Arrived& request : take()) got.push_back(std::move(request));
    return got.size() == 8;
  }));
  const std::string large(700'000, 'y');
  for (const Arrived& request : got) EXPECT_TRUE(reply(request, large));
  ASSERT_TRUE(run(120s, [&] { return settled(8) != nullptr; }));
  run(1s);
  for (std::uint64_t call = 1; call <= 8; ++call) {
    ASSERT_TRUE(settled(call) && settled(call)->reply) << call;
    EXPECT_EQ(settled(call)->reply->size(), large.size());
  }
}

TEST_F(RequestsTest, ARequestToANameThatComesLaterIsAsked) {
  alice_ = join_and_start("alice");
  ask(1, "one", 20s);
  run(3s);
  bob_ = join_and_start("bob");
  bob_->node->subscribe_requests("sum");
  std::vector<Arrived> got;
  ASSERT_TRUE(run(15s, [&] { return !(got = take()).empty(); }));
  EXPECT_TRUE(reply(got[0], "1"));
  EXPECT_TRUE(run(2s, [&] { return settled(1) && settled(1)->reply; }));
}

// The reply is lost for longer than retain: the request is sent again, and not executed again.
TEST_F(RequestsTest, ARequestIsGivenToAProgramAtMostOnceHoweverOftenItIsSent) {
  meet();
  bob_->node->subscribe_requests("sum");
  ask(9, "first");
  std::vector<Arrived> first;
  ASSERT_TRUE(run(1s, [&] { return !(first = take()).empty(); }));
  EXPECT_TRUE(reply(first[0], "ok"));
  ASSERT_TRUE(run(5s, [&] { return settled(9) != nullptr; }));
  const Endpoint alice_at = alice_->station->at;
  wire_.drop = [&](const Endpoint&, const Endpoint& to) { return to == alice_at; };
  ask(1, "one", 300s);
  std::vector<Arrived> got;
  ASSERT_TRUE(run(5s, [&] { return !(got = take()).empty(); }));
  run(100s);
  wire_.drop = nullptr;
  run(60s);
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(reply(got[0], "1"));
  EXPECT_TRUE(run(60s, [&] { return settled(1) && settled(1)->reply; }));
}

TEST_F(RequestsTest, OpenRequestsAreBoundedAndTheNextOnesWait) {
  meet();
  bob_->node->subscribe_requests("sum");
  for (std::uint64_t call = 1; call <= kOpenRequestsMax + 1; ++call) ask(call, "x", 600s);
  std::vector<Arrived> got;
  run(20s, [&] {
    for (Arrived& request : take()) got.push_back(std::move(request));
    return got.size() > kOpenRequestsMax;
  });
  ASSERT_EQ(got.size(), kOpenRequestsMax);
  EXPECT_TRUE(reply(got[0], "1"));
  EXPECT_TRUE(run(5s, [&] { return !take().empty(); }));
}

TEST_F(RequestsTest, WhenAPeerLeavesItsUnansweredRequestsFailAtOnce) {
  meet();
  bob_->node->subscribe_requests("sum");
  ask(1, "one", 100s);
  std::vector<Arrived> got;
  ASSERT_TRUE(run(1s, [&] { return !(got = take()).empty(); }));
  run(5s);  // the path is direct
  bob_->node->leave(wire_.now());
  ASSERT_TRUE(run(1s, [&] { return settled(1) != nullptr; }));
  EXPECT_EQ(settled(1)->reply.error().code, Errc::kUnreachable);
}

TEST_F(RequestsTest, ACancelledRequestIsNotExecutedAndNotSettled) {
  meet();
  ask(1, "one", 100s);
  run(1s);
  alice_->node->cancel_request(1);
  run(1s);
  bob_->node->subscribe_requests("sum");
  run(100s);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(settled(1), nullptr);
}

}  // namespace
}  // namespace ginnel::node
