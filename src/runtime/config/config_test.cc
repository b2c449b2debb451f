#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "runtime/config/load.h"
#include "runtime/config/schema.h"
#include "runtime/config/show.h"

namespace ginnel::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> problems(std::string_view text) {
  std::vector<std::string> out;
  for (const Problem& p : load(text).problems) out.push_back(problem_line("g.toml", p));
  return out;
}

std::string setting(const Loaded& loaded, std::string_view path) {
  for (const Setting& s : loaded.settings) {
    if (s.path == path) return s.toml + " " + s.origin;
  }
  return "absent";
}

TEST(Config, EveryKeyIsOptional) {
  const Loaded loaded = load("");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.config.punch.probes_per_second, 500u);
  EXPECT_EQ(loaded.config.tun.enable, TunEnable::kAuto);
  EXPECT_FALSE(loaded.config.hub);
}

TEST(Config, FallbacksOfTheTableAreWhatTheStructHolds) {
  // The table's texts are shown to people; the struct's initialisers are what runs.
  for (const Key& key : keys()) {
    if (key.fallback.empty()) continue;
    const auto dot = key.path.find('.');
    const std::string text = "[" + std::string(key.path.substr(0, dot)) + "]\n" +
                             std::string(key.path.substr(dot + 1)) + " = " +
                             std::string(key.fallback) + "\n";
    EXPECT_THAT(problems(text), IsEmpty()) << text;
    const Config given = load(text).config;
    const Config builtin;
    EXPECT_EQ(given.network.resolve_timeout, builtin.network.resolve_timeout);
    EXPECT_EQ(given.network.retain, builtin.network.retain);
    EXPECT_EQ(given.network.heartbeat, builtin.network.heartbeat);
    EXPECT_EQ(given.network.connect, builtin.network.connect);
    EXPECT_EQ(given.network.when_hubs_lost, builtin.network.when_hubs_lost);
    EXPECT_EQ(given.tun.enable, builtin.tun.enable);
    EXPECT_EQ(given.tun.mtu, builtin.tun.mtu);
    EXPECT_EQ(given.dns.names, builtin.dns.names);
    EXPECT_EQ(given.punch.enable, builtin.punch.enable);
    EXPECT_EQ(given.punch.probes_per_second, builtin.punch.probes_per_second);
    EXPECT_EQ(given.log.level, builtin.log.level);
    EXPECT_EQ(given.log.format, builtin.log.format);
  }
}

TEST(Config, ValuesReachTheirFields) {
  const Loaded loaded = load(R"(
[node]
name = "alice"
listen = ["udp://127.0.0.1:7701"]
[network]
hubs = ["hub-a.example.net:7700", "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=@[2001:db8::1]:1"]
cidr = "10.70.0.0/20"
heartbeat = "5s"
[tun]
enable = "no"
address = "auto"
mtu = 1280
[hub]
public = "203.0.113.9:7700"
probe_port = 9000
[log]
level = "debug"
)");
  ASSERT_THAT(loaded.problems, IsEmpty());
  const Config& c = loaded.config;
  EXPECT_EQ(c.node.name, "alice");
  EXPECT_EQ(c.node.listen->text(), "127.0.0.1:7701");
  ASSERT_EQ(c.network.hubs.size(), 2u);
  EXPECT_EQ(c.network.hubs[0].host, "hub-a.example.net");
  EXPECT_FALSE(c.network.hubs[0].key);
  EXPECT_TRUE(c.network.hubs[1].key);
  EXPECT_EQ(c.network.hubs[1].host, "2001:db8::1");
  EXPECT_EQ(c.network.cidr->text(), "10.70.0.0/20");
  EXPECT_EQ(c.network.heartbeat, Nanoseconds(5s));
  EXPECT_EQ(c.tun.enable, TunEnable::kNo);
  EXPECT_EQ(c.tun.mtu, 1280);
  EXPECT_EQ(c.hub->public_endpoint->text(), "203.0.113.9:7700");
  EXPECT_EQ(c.hub->probe_port, 9000);
  EXPECT_EQ(c.log.level, LogLevel::kDebug);
}

TEST(Config, AnEmptyHubSectionMakesAHub) { EXPECT_TRUE(load("[hub]\n").config.hub); }

// docs/cli.md: "an unknown key, a bad value or a wrong type is an error with `file:line:col` and
// "did you mean""; "Config errors are all listed, one a line".
TEST(Config, AllProblemsAreListedInTheOrderOfTheFile) {
  EXPECT_THAT(
      problems("[node]\n"
               "nmae = \"x\"\n"
               "name = 7\n"
               "[punch]\n"
               "probes_per_second = 0\n"
               "[tun]\n"
               "enable = \"yess\"\n"
               "[tunn]\n"),
      ElementsAre(
          "g.toml:2:1: unknown key \"nmae\" in [node] [E_CONFIG_KEY] did you mean \"name\"?",
          "g.toml:3:8: node.name must be a text, not a whole number [E_CONFIG_VALUE]",
          "g.toml:5:21: punch.probes_per_second 0 must be from 1 to 10000 [E_CONFIG_VALUE]",
          "g.toml:7:10: tun.enable \"yess\" must be one of \"auto\", \"yes\", \"no\" "
          "[E_CONFIG_VALUE] did you mean \"yes\"?",
          "g.toml:8:2: unknown section [tunn] [E_CONFIG_KEY] did you mean \"tun\"?"));
}

TEST(Config, AKeyThatLostItsSectionIsNamed) {
  EXPECT_THAT(problems("mtu = 1280\n"),
              ElementsAre("g.toml:1:1: unknown key mtu [E_CONFIG_KEY] did you mean \"tun.mtu\"?"));
  EXPECT_THAT(problems("[node]\nmtu = 1280\n"),
              ElementsAre("g.toml:2:1: unknown key \"mtu\" in [node] [E_CONFIG_KEY] did you mean "
                          "\"tun.mtu\"?"));
}

TEST(Config, WhatIsNoTomlIsASyntaxProblemWithItsPlace) {
  const auto found = problems("[node]\nname = \n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], HasSubstr("g.toml:2:"));
  EXPECT_THAT(found[0], HasSubstr("[E_CONFIG_SYNTAX]"));
}

// docs/cli.md: "A key of a feature that this version lacks is refused with `E_CONFIG_KEY`".
TEST(Config, EveryLackingKeyIsRefusedAndSaysSo) {
  for (const Lacking& row : lacking()) {
    const std::string path(row.path);
    const auto dot = path.find('.');
    const std::string value = row.value.empty() ? "x" : std::string(row.value);
    const std::string text =
        dot == std::string::npos
            ? "[" + path + "]\nanything = 1\n"
            : "[" + path.substr(0, dot) + "]\n" + path.substr(dot + 1) + " = \"" + value + "\"\n";
    EXPECT_THAT(problems(text), ElementsAre(HasSubstr("[E_CONFIG_KEY]"))) << text;
    EXPECT_THAT(problems(text), ElementsAre(HasSubstr("this version lacks"))) << text;
  }
}

TEST(Config, WhatWouldDoNothingIsRefused) {
  EXPECT_THAT(problems("[link]\nrepair = \"auto\"\noverhead_max = \"20%\"\n"),
              ElementsAre("g.toml:1:2: link: this version lacks repair of bad links [E_CONFIG_KEY]"));
  EXPECT_THAT(problems("[tun]\naddress = \"10.66.0.2/16\"\n"),
              ElementsAre(HasSubstr("must be \"auto\"")));
}

TEST(Config, WaysInAreRead) {
  const std::string id = "C00112233-4455-8677-8899-aabbccddeeff";
  const Loaded loaded = load("[network]\nsecret_file = \"s\"\nallow = [\"" + id +
                             "\"]\nconnect = \"eager\"\nwhen_hubs_lost = \"stop\"\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  const auto& network = loaded.config.network;
  EXPECT_EQ(network.secret_file, "s");
  ASSERT_TRUE(network.allow);
  EXPECT_EQ(network.allow->front().text(), id);
  EXPECT_EQ(network.connect, Connect::kEager);
  EXPECT_EQ(network.when_hubs_lost, WhenHubsLost::kStop);
  EXPECT_FALSE(load("").config.network.allow);
  EXPECT_TRUE(load("[network]\nallow = []\n").config.network.allow);  // nobody
}

TEST(Config, WhatNamesNobodyIsNoIdToAllow) {
  EXPECT_THAT(problems("[network]\nallow = [\"alice\"]\n"),
              ElementsAre(HasSubstr("network.allow [\"alice\"] must hold Ids")));
}

TEST(Config, BadValuesAreRefused) {
  const char* bad[] = {
      "[node]\nname = \"-a\"",
      "[node]\nlisten = []",
      "[node]\nlisten = [\"tcp://[::]:1\"]",
      "[node]\nlisten = [\"udp://localhost:1\"]",
      "[network]\nhubs = [\"no-port\"]",
      "[network]\nhubs = [\"bad@h:1\"]",
      "[network]\nhubs = [7]",
      "[network]\ncidr = \"10.66.0.0\"",
      "[network]\ncidr = \"fd00::/8\"",
      "[network]\ncidr = \"10.66.0.0/31\"",
      "[network]\nheartbeat = \"1ms\"",
      "[tun]\nmtu = 1279",
      "[tun]\nmtu = \"big\"",
      "[tun]\naddress = \"10.66.0.2/16\"",
      "[tun]\nenable = false",
      "[punch]\nenable = \"yes\"",
      "[hub]\npublic = \"0.0.0.0:7700\"",
      "[hub]\npublic = \"203.0.113.9\"",
      "[hub]\nprobe_port = 65536",
      "[log]\nlevel = \"loud\"",
      "node = 3",
      "[log]\nlevel = 1979-05-27",
  };
  for (const char* text : bad)
    EXPECT_THAT(problems(text), ElementsAre(HasSubstr("E_CONFIG_VALUE"))) << text;
}

TEST(Config, StockPeersAreReadAndWhatTheyLackIsNamed) {
  const Loaded loaded = load(
      "[[wireguard.peer]]\nname = \"phone\"\n"
      "public_key = \"B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\"\n"
      "allowed_ips = [\"10.66.9.1/32\"]\nkeepalive = 25\npsk_file = \"phone.psk\"\n"
      "endpoint = \"phone.example.net:51820\"\n"
      "[[wireguard.peer]]\nname = \"other\"\nkepalive = 1\n");
  ASSERT_EQ(loaded.config.wireguard_peers.size(), 1u);
  EXPECT_EQ(loaded.config.wireguard_peers[0].keepalive_seconds, 25);
  EXPECT_EQ(loaded.config.wireguard_peers[0].allowed_ips[0].text(), "10.66.9.1/32");
  ASSERT_EQ(loaded.problems.size(), 3u);
  EXPECT_EQ(loaded.problems[0].suggestion, "keepalive");
  EXPECT_THAT(loaded.problems[1].text, HasSubstr("lacks public_key"));
}

TEST(Config, TwoWireguardPeersShareNothing) {
  const auto peer = [](std::string name, std::string key, std::string range) {
    return "[[wireguard.peer]]\nname = \"" + name + "\"\npublic_key = \"" + key +
           "\"\nallowed_ips = [\"" + range + "\"]\n";
  };
  const std::string key = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
  const std::string other = "WGmv9FBUlzLLqu1eXfm7MEptoTHg5Xaz1a1KGnaPGns=";
  const std::string first = peer("a", key, "10.66.9.1");
  EXPECT_TRUE(load(first + peer("b", other, "10.66.9.2")).problems.empty());
  EXPECT_THAT(problems(first + peer("a", other, "10.66.9.2"))[0], HasSubstr("has the name of"));
  EXPECT_THAT(problems(first + peer("b", key, "10.66.9.2"))[0], HasSubstr("the public_key of"));
  const auto range = load(first + peer("b", other, "10.66.9.1"));
  EXPECT_THAT(range.problems.at(0).text, HasSubstr("has 10.66.9.1/32 of an earlier one"));
  EXPECT_EQ(range.config.wireguard_peers.size(), 1u);
}

// Its route would lead the tunnel's own packets into the tunnel.
TEST(Config, AWireguardPeerIsNoDefaultRoute) {
  for (const char* everything : {"0.0.0.0/0", "::/0"}) {
    const std::string text =
        "[[wireguard.peer]]\nname = \"a\"\nallowed_ips = [\"" + std::string(everything) +
        "\"]\npublic_key = \"B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\"\n";
    EXPECT_THAT(problems(text)[0], HasSubstr("must not hold everything"));
  }
}

// docs/cli.md: values of keys that speak of secret, key, token or password "are never shown".
TEST(Config, SecretsAreNeverShown) {
  const std::string text =
      "[[wireguard.peer]]\nname = \"phone\"\nallowed_ips = [\"10.66.9.1\"]\n"
      "public_key = \"hunter2\"\n";
  EXPECT_THAT(problems(text)[0], Not(HasSubstr("hunter2")));
  const std::string good =
      "[[wireguard.peer]]\nname = \"phone\"\nallowed_ips = [\"10.66.9.1\"]\n"
      "public_key = \"B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\"\n";
  EXPECT_THAT(show(load(good).settings, {}), Not(HasSubstr("B6N8")));
  EXPECT_THAT(show(load(good).settings, {}), HasSubstr("public_key = \"(hidden)\""));
}

TEST(Config, ASyntaxProblemQuotesNothingOfTheFile) {
  for (const char* text : {"[network]\nsecret_file = hunter2\n", "psk = \"hunter2\nx", "hunter2",
                           "password = 'hunter2'hunter2\n", "token = \"\\hunter2\"\n"}) {
    for (const std::string& line : problems(text)) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
  }
}

TEST(Config, SettingsTellWhereEachValueComesFrom) {
  const Loaded loaded = load("[tun]\n\nmtu = 1300\n");
  EXPECT_EQ(setting(loaded, "tun.mtu"), "1300 file:3");
  EXPECT_EQ(setting(loaded, "tun.enable"), "\"auto\" default");
  EXPECT_EQ(setting(loaded, "hub.public"), "absent");
}

// docs/cli.md: "Precedence: flag, environment, file, what the network says, built-in."
TEST(Config, TheEnvironmentGoesBeforeTheFile) {
  Loaded loaded = load("[log]\nlevel = \"warn\"\n");
  EXPECT_FALSE(apply_environment(loaded, [](const char*) { return "trace"; }));
  EXPECT_EQ(loaded.config.log.level, LogLevel::kTrace);
  EXPECT_EQ(setting(loaded, "log.level"), "\"trace\" environment GINNEL_LOG");
  EXPECT_TRUE(apply_environment(loaded, [](const char*) { return "loud"; }));
  EXPECT_EQ(loaded.config.log.level, LogLevel::kTrace);
}

TEST(Config, WhatShowPrintsIsAValidFileAgain) {
  const Loaded loaded = load("[node]\nname = \"a\"\n[hub]\npublic = \"203.0.113.9:7700\"\n");
  const Loaded again = load(show(loaded.settings, {.origin = true}));
  EXPECT_THAT(again.problems, IsEmpty());
  EXPECT_EQ(again.config.node.name, "a");
  EXPECT_EQ(again.config.hub->public_endpoint->text(), "203.0.113.9:7700");
}

TEST(Config, CommandLineValuesNeedNoTomlQuotes) {
  EXPECT_EQ(literal_for("tun.enable", "no").value(), "\"no\"");
  EXPECT_EQ(literal_for("tun.enable", "\"no\"").value(), "\"no\"");
  EXPECT_EQ(literal_for("tun.mtu", "1300").value(), "1300");
  EXPECT_EQ(literal_for("tun.mtu", "auto").value(), "\"auto\"");
  EXPECT_EQ(literal_for("punch.enable", "false").value(), "false");
  EXPECT_EQ(literal_for("network.hubs", "a:1,b:2").value(), "[\"a:1\", \"b:2\"]");
  EXPECT_EQ(literal_for("network.hubs", "[\"a:1\"]").value(), "[\"a:1\"]");
  EXPECT_EQ(literal_for("node.listen", "udp://[::]:7700").value(), "[\"udp://[::]:7700\"]");
  EXPECT_EQ(literal_for("node.name", "007").value(), "\"007\"");
}

TEST(Config, CommandLineValuesAreCheckedBeforeAnythingIsWritten) {
  EXPECT_EQ(literal_for("tun.mtu", "12").error().code, Errc::kConfigValue);
  EXPECT_EQ(literal_for("punch.enable", "maybe").error().code, Errc::kConfigValue);
  EXPECT_EQ(literal_for("tun.mtuu", "1300").error().suggestion, "mtu");
  EXPECT_EQ(literal_for("link.repair", "auto").error().code, Errc::kConfigKey);
  EXPECT_EQ(literal_for("node.name", "a\nb").error().code, Errc::kConfigValue);
}

}  // namespace
}  // namespace ginnel::config
