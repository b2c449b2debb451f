#include "runtime/host/netcheck.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ginnel::host {
namespace {

SurveyedHub answering(const char* endpoint, Nanoseconds rtt, std::size_t mtu_bytes) {
  ProbeFinding finding;
  finding.endpoint = *Endpoint::parse(endpoint);
  finding.rtt = rtt;
  finding.mtu_bytes = mtu_bytes;
  finding.mtu_tried_bytes = 1500;
  finding.mapped = Endpoint::parse("198.51.100.7:4164");
  finding.clock_ahead = -2s;
  return {"hub-a", finding};
}
SurveyedHub silent(const char* endpoint) {
  ProbeFinding finding;
  finding.endpoint = *Endpoint::parse(endpoint);
  return {"hub-b", finding};
}

TEST(Netcheck, TellsEachHubAndTheLeastOfTheirMtus) {
  Survey survey;
  survey.hubs = {answering("203.0.113.9:7700", 20ms, 1500),
                 answering("203.0.113.8:7700", 40ms, 1400), silent("[2001:db8::1]:7700")};
  survey.nat = stun::NatClass{stun::Mapping::kEim, stun::Filtering::kApdf};
  const auto out = netcheck_json({.survey = survey});
  EXPECT_EQ(out["udp"], true);
  EXPECT_EQ(out["mtu"], 1400);
  EXPECT_EQ(out["clock_offset"], -2.0);
  EXPECT_EQ(out["nat"]["mapping"], "eim");
  EXPECT_EQ(out["nat"]["of"], "own socket");
  EXPECT_EQ(out["ipv4"]["udp"], true);
  EXPECT_EQ(out["ipv4"]["mapped"], "198.51.100.7:4164");
  EXPECT_EQ(out["ipv6"]["udp"], false);
  EXPECT_EQ(out["hubs"][0]["rtt"], 0.02);
  EXPECT_EQ(out["hubs"][1]["black_hole"], true);
  EXPECT_EQ(out["hubs"][2]["state"], "down");
}
TEST(Netcheck, PrefersWhatTheDaemonFoundForItsOwnSocket) {
  const Survey survey;
  const auto out =
      netcheck_json({.survey = survey, .daemon_mapping = "apdm", .daemon_filtering = "apdf"});
  EXPECT_EQ(out["nat"]["mapping"], "apdm");
  EXPECT_EQ(out["nat"]["of"], "daemon");
}
TEST(Netcheck, IsNullAboutWhatNobodyCouldSay) {
  const Survey survey;
  const auto out = netcheck_json({.survey = survey});
  for (const char* key : {"udp", "mtu", "clock_offset"}) EXPECT_TRUE(out[key].is_null()) << key;
  EXPECT_TRUE(out["ipv6"]["udp"].is_null());
  EXPECT_EQ(out["nat"]["mapping"], "unknown");
}
TEST(Netcheck, AHubWhoseNameMeansNothingIsDown) {
  Survey survey;
  survey.unresolved = {"hub.example.net:7700"};
  const auto out = netcheck_json({.survey = survey});
  EXPECT_EQ(out["udp"], false);
  EXPECT_EQ(out["hubs"][0]["name"], "hub.example.net:7700");
}

}  // namespace
}  // namespace ginnel::host
