#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "cli/demo/process.h"
#include "cli/demo/story.h"
#include "cli/demo/transfer.h"
#include "cli/demo/world.h"
#include "io/fd.h"

namespace ginnel::cli::demo {
namespace {

using namespace std::chrono_literals;

Patience patience(std::chrono::milliseconds length) {
  return {std::chrono::steady_clock::now() + length, -1};
}

Command shell(const std::string& script) { return {.words = {"sh", "-c", script}}; }

TEST(DemoProcess, ItsLinesComeOneByOneAndTheLastMayLackItsEnd) {
  auto process = Process::start(shell("echo one; echo two >&2; printf three"));
  ASSERT_TRUE(process);
  std::vector<std::string> lines;
  const auto ended =
      process->finish(patience(10s), [&](std::string_view line) { lines.emplace_back(line); });
  ASSERT_TRUE(ended);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(ended->output, "one\ntwo\nthree");
}

TEST(DemoProcess, ItsExitCodeIsKnownAndASignalCountsAsAShellCountsIt) {
  auto failing = Process::start(shell("exit 6"));
  auto killed = Process::start(shell("kill -KILL $$"));
  ASSERT_TRUE(failing && killed);
  EXPECT_EQ(failing->finish(patience(10s), {})->code, 6);
  EXPECT_EQ(killed->finish(patience(10s), {})->code, 128 + SIGKILL);
}

TEST(DemoProcess, AMissingProgramIsToldByName) {
  const auto done = run_quietly({.words = {"no-such-program-here"}}, patience(10s));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text.find("no-such-program-here"), std::string::npos);
}

TEST(DemoProcess, ItReadsItsInputAndMayPrintToAFile) {
  EXPECT_EQ(run_quietly({.words = {"cat"}, .input = "given"}, patience(10s)).value_or(""), "given");
  EXPECT_FALSE(Process::start({.words = {"cat"}, .input = std::string(kInputMax + 1, 'x')}));
}

TEST(DemoProcess, PatienceEndsAndTheProcessIsStillThereToBeStopped) {
  auto process = Process::start(shell("exec sleep 60"));
  ASSERT_TRUE(process);
  const auto ended = process->finish(patience(10ms), {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::kTimeout);
  EXPECT_TRUE(process->runs());
  process->stop(10s);
  EXPECT_FALSE(process->runs());
}

TEST(DemoProcess, AnInterruptEndsTheWaiting) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const io::Fd read(ends[0]), write(ends[1]);
  ASSERT_EQ(::write(write.get(), "x", 1), 1);
  auto process = Process::start(shell("exec sleep 60"));
  ASSERT_TRUE(process);
  const auto ended =
      process->finish({std::chrono::steady_clock::now() + 10s, read.get()}, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::kCancelled);
}

TEST(DemoProcess, WhatTheUserSetForTheirOwnNodeIsNotInherited) {
  ::setenv("GINNEL_DIR", "/of/the/user", 1);
  const auto seen = run_quietly(shell("echo ${GINNEL_DIR-unset}"), patience(10s));
  ::unsetenv("GINNEL_DIR");
  EXPECT_EQ(seen.value_or(""), "unset\n");
}

TEST(DemoStory, ACommandIsShownAsAShellTakesIt) {
  EXPECT_EQ(shell_quoted("203.0.113.7:7700"), "203.0.113.7:7700");
  EXPECT_EQ(shell_quoted("hello bob"), "'hello bob'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(DemoTransfer, ARateIsInMegabitsUntilItIsInGigabits) {
  EXPECT_EQ(bit_rate_text(812.44e6), "812.4 Mbit/s");
  EXPECT_EQ(bit_rate_text(999.9e6), "999.9 Mbit/s");
  EXPECT_EQ(bit_rate_text(999.96e6), "1.0 Gbit/s");
  EXPECT_EQ(bit_rate_text(12.34e9), "12.3 Gbit/s");
}

TEST(DemoWorld, TheTwoRoutersFilterDifferently) {
  const std::string strict = nat_rules({"192.168.20.0/24"});
  const std::string loose = nat_rules({"192.168.30.0/24", true});
  for (const std::string& rules : {strict, loose}) {
    EXPECT_NE(rules.find("masquerade"), std::string::npos);
    EXPECT_NE(rules.find("hook input priority filter; policy drop;"), std::string::npos);
  }
  EXPECT_EQ(strict.find("dnat ip to"), std::string::npos);
  EXPECT_NE(loose.find("udp dport . ip saddr @asked dnat ip to udp dport map @inside"),
            std::string::npos);
}

}  // namespace
}  // namespace ginnel::cli::demo
