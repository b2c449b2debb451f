#include "runtime/engine/hub_names.h"

#include <gtest/gtest.h>

#include "io/clock.h"

namespace ginnel::runtime {
namespace {

// Names of this host, resolved for real; how often is what is counted.
struct Resolving {
  std::unique_ptr<io::EventLoop> loop = io::EventLoop::make().value();
  int found = 0;
  std::vector<Endpoint> last;
  HubNames names{*loop,
                 {{"localhost:7700"}},
                 HubNames::Resolver::kThread,
                 [this](std::size_t, std::vector<Endpoint> endpoints) {
                   ++found;
                   last = std::move(endpoints);
                 }};

  // False: not that often within `limit`.
  bool wait_for(int times, Nanoseconds limit) {
    const Instant end = io::now() + limit;
    while (found < times && io::now() < end) loop->run_once(10ms);
    return found >= times;
  }
};

TEST(HubNames, AreResolvedAtOnce) {
  Resolving resolving;
  ASSERT_TRUE(resolving.wait_for(1, 10s));
  ASSERT_FALSE(resolving.last.empty());
  EXPECT_TRUE(resolving.last.front().address.is_loopback());
  EXPECT_EQ(resolving.last.front().port, 7700);
}
// docs/cli.md, "Hubs": a name is resolved again at once when its address stops answering.
TEST(HubNames, AreResolvedAgainWithinSecondsWhileAHubDoesNotAnswer) {
  Resolving resolving;
  ASSERT_TRUE(resolving.wait_for(1, 10s));
  resolving.names.set_urgent(false);
  EXPECT_FALSE(resolving.wait_for(2, HubNames::kUrgentAgain + 500ms));
  resolving.names.set_urgent(true);
  EXPECT_TRUE(resolving.wait_for(2, HubNames::kUrgentAgain));
}
TEST(HubNames, AreResolvedAtOnceWhenTheyAreAskedFor) {
  Resolving resolving;
  resolving.names.set_urgent(false);
  ASSERT_TRUE(resolving.wait_for(1, 10s));
  resolving.names.look_now();
  EXPECT_TRUE(resolving.wait_for(2, 1s));
}
TEST(HubNames, OfLiteralAddressesAreNeverResolved) {
  const auto loop = io::EventLoop::make().value();
  int found = 0;
  const HubNames names(*loop, {{"127.0.0.1:7700"}}, HubNames::Resolver::kThread,
                       [&](std::size_t, auto) { ++found; });
  const Instant end = io::now() + 200ms;
  while (io::now() < end) loop->run_once(10ms);
  EXPECT_EQ(found, 0);
}

}  // namespace
}  // namespace ginnel::runtime
