#include "cli/filter.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace ginnel::cli {
namespace {

class FilterTest : public ::testing::Test {
 protected:
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
};

TEST_F(FilterTest, WhatItIsGivenComesBackAsItMadeIt) {
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(Filter({"cat"}, {}).run(large).value(), large);
  const auto named = Filter({"sh", "-c", "printf %s \"$GINNEL_FROM_NAME\""},
                            {{"GINNEL_FROM_NAME", "alice"}}).run("");
  EXPECT_EQ(named.value(), "alice");
}

// docs/cli.md: another exit than 0 is a failure.
TEST_F(FilterTest, AnotherEndThanZeroIsAFailure) {
  const auto failed = Filter({"sh", "-c", "echo half; exit 3"}, {}).run("");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::kReplyFailed);
  EXPECT_EQ(failed.error().text, "sh: exit 3");
  EXPECT_EQ(Filter({"/nonexistent/program"}, {}).run("").error().code, Errc::kFile);
}

TEST_F(FilterTest, ItNeedNotReadItsInput) {
  EXPECT_EQ(Filter({"echo", "done"}, {}).run(std::string(3'000'000, 'x')).value(), "done\n");
}

TEST_F(FilterTest, OneThatPrintsWithoutEndIsEnded) {
  const auto endless = Filter({"yes"}, {}).run("");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, Errc::kTooLarge);
}

TEST_F(FilterTest, ItIsStoppedFromAnotherThread) {
  Filter filter({"sleep", "600"}, {});
  std::atomic<bool> ended = false;
  std::thread stopper([&] {
    while (!ended) {
      filter.stop();
      std::this_thread::yield();
    }
  });
  EXPECT_FALSE(filter.run(""));
  ended = true;
  stopper.join();
}

}  // namespace
}  // namespace ginnel::cli
