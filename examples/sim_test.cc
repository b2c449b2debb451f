// How a program tests its own protocol in virtual time: a counter that two nodes keep in step, over
// a link that loses packets, through a cut, and behind NATs. A minute of theirs takes milliseconds.
#include <ginnel/sim.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace std::chrono_literals;

// The program under test: counts what it hears, and tells its peer of each step.
class Counter {
 public:
  Counter(ginnel::Node& node, std::string peer)
      : node_(node), peer_(std::move(peer)),
        steps_(node.on_message("step", [this](const ginnel::Message&) { ++heard_; })) {}
  void step() { node_.send(peer_, "step", "+1").value(); }
  int heard() const { return heard_; }

 private:
  ginnel::Node& node_;
  std::string peer_;
  int heard_ = 0;
  ginnel::Subscription steps_;
};

TEST(Counter, LosesNoStepOnABadLink) {
  ginnel::sim::Network net;
  net.link("a", "b", {.loss = .05, .rtt = 80ms});
  Counter a(net["a"], "b");
  Counter b(net["b"], "a");
  for (int i = 0; i < 100; ++i) {
    a.step();
    b.step();
    net.run_for(100ms);
  }
  net.run_for(10s);
  EXPECT_EQ(a.heard(), 100);
  EXPECT_EQ(b.heard(), 100);
  EXPECT_GE(net["a"].path("b")->rtt.value(), 80ms);  // they talk over that link
}

TEST(Counter, GoesOnThroughTheHubWhenTheLinkIsCut) {
  ginnel::sim::Network net;
  net.link("a", "b", {.rtt = 20ms});
  Counter a(net["a"], "b");
  Counter b(net["b"], "a");
  a.step();
  ASSERT_TRUE(net.run_until([&] { return b.heard() == 1; }));
  net.link("a", "b", {.loss = 1});
  a.step();
  EXPECT_TRUE(net.run_until([&] { return b.heard() == 2; }, 30s));
  EXPECT_EQ(net["a"].path("b")->kind, ginnel::PathKind::kRelayUdp);
}

TEST(Counter, WorksBehindNats) {
  ginnel::sim::Network net;
  Counter home(net.add("home", ginnel::sim::Nat::kHome), "office");
  Counter office(net.add("office", ginnel::sim::Nat::kSymmetric), "home");
  home.step();
  office.step();
  EXPECT_TRUE(net.run_until([&] { return home.heard() == 1 && office.heard() == 1; }, 10s));
}

// The same seed is the same run, to the nanosecond.
TEST(Counter, AFailureCanBeSeenAgain) {
  const auto time_of_ten_steps = [](std::uint64_t seed) {
    ginnel::sim::Network net(seed);
    net.link("a", "b", {.loss = .3, .rtt = 50ms, .jitter = 10ms});
    Counter a(net["a"], "b");
    Counter b(net["b"], "a");
    for (int i = 0; i < 10; ++i) a.step();
    EXPECT_TRUE(net.run_until([&] { return b.heard() == 10; }));
    return net.now();
  };
  EXPECT_EQ(time_of_ten_steps(3), time_of_ten_steps(3));
}

TEST(Counter, RequestsAndWaitingWorkAsOnMachines) {
  ginnel::sim::Network net;
  ginnel::Node& server = net["server"];
  const auto twice = server.on_request("twice", [](const ginnel::Request& request) {
    (void)request.reply(request.text() + request.text());
  });
  EXPECT_TRUE(net["client"].wait_online(10s));
  auto answer = net["client"].request("server", "twice", "ab", 10s);
  ASSERT_TRUE(net.run_until([&] { return answer.wait_for(0s) == std::future_status::ready; }));
  EXPECT_EQ(answer.get().value().text(), "abab");
}

}  // namespace
