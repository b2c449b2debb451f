#include "runtime/config/reload.h"

#include <gmock/gmock.h>

namespace ginnel::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Reload, TakesWhatCanChangeAndNamesWhatCannot) {
  Loaded running = load("[log]\nlevel = \"info\"\n[tun]\nmtu = 1392\n");
  const Loaded file =
      load("[log]\nlevel = \"debug\"\n[tun]\nmtu = 1300\n[punch]\nenable = false\n");
  const ReloadPlan plan = take_changes(running, file);
  EXPECT_THAT(plan.changed, ElementsAre("punch.enable", "log.level"));
  EXPECT_THAT(plan.restart, ElementsAre("tun.mtu"));
  EXPECT_EQ(running.config.log.level, LogLevel::kDebug);
  EXPECT_FALSE(running.config.punch.enable);
  EXPECT_EQ(running.config.tun.mtu, 1392);
}

TEST(Reload, WhatWaitsForARestartIsNamedAgainNextTime) {
  Loaded running = load("");
  const Loaded file = load("[node]\nname = \"other\"\n[log]\nlevel = \"warn\"\n");
  take_changes(running, file);
  const ReloadPlan again = take_changes(running, file);
  EXPECT_THAT(again.changed, IsEmpty());
  EXPECT_THAT(again.restart, ElementsAre("node.name"));
}

// docs/cli.md: "all others that differ (`network.hubs` and `log.format`, for instance)".
TEST(Reload, HubsAndTheLogsFormatWaitForARestart) {
  Loaded running = load("[network]\nhubs = [\"a:1\"]\n");
  const ReloadPlan plan =
      take_changes(running, load("[network]\nhubs = [\"a:1\", \"b:1\"]\n[log]\nformat = \"json\"\n"));
  EXPECT_THAT(plan.changed, IsEmpty());
  EXPECT_THAT(plan.restart, ElementsAre("network.hubs", "log.format"));
}

TEST(Reload, ASectionThatCameOrWentNeedsARestart) {
  Loaded running = load("");
  EXPECT_THAT(take_changes(running, load("[hub]\nprobe_port = 7000\n")).restart,
              ::testing::Contains("hub.probe_port"));
  Loaded hub = load("[hub]\nprobe_port = 7000\n");
  EXPECT_THAT(take_changes(hub, load("")).restart, ::testing::Contains("hub.probe_port"));
}

TEST(Reload, APeerThatWasLetInWhileRunningNeedsNoRestart) {
  const auto peer = [](const std::string& name, const std::string& key, const std::string& range) {
    return "[[wireguard.peer]]\nname = \"" + name + "\"\npublic_key = \"" + key +
           "\"\nallowed_ips = [\"" + range + "\"]\n";
  };
  const std::string phone =
      peer("phone", "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=", "10.66.9.1");
  const Loaded file =
      load(phone + peer("tablet", "WGmv9FBUlzLLqu1eXfm7MEptoTHg5Xaz1a1KGnaPGns=", "10.66.9.2"));
  Loaded running = load(phone);
  EXPECT_EQ(take_changes(running, file).restart.size(), 3u);
  take_last_wireguard_peer(running, file);
  EXPECT_THAT(take_changes(running, file).restart, IsEmpty());
  EXPECT_EQ(running.config.wireguard_peers.size(), 2u);
}

TEST(Reload, NothingChangedIsNothingToDo) {
  Loaded running = load("[log]\nlevel = \"info\"\n");
  const ReloadPlan plan = take_changes(running, load("# a comment\n[log]\nlevel = \"info\"\n"));
  EXPECT_THAT(plan.changed, IsEmpty());
  EXPECT_THAT(plan.restart, IsEmpty());
}

}  // namespace
}  // namespace ginnel::config
