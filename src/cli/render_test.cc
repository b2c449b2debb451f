#include "cli/render.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cli/human.h"
#include "cli/table.h"

namespace ginnel::cli {
namespace {

std::string golden(const std::string& name) {
  std::ifstream in(GINNEL_TESTDATA "/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator(in), {}};
}
const double kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

TEST(Render, StatusIsTheTableOfTheContract) {
  EXPECT_EQ(render_status(parse_document(golden("status.json")), {.terminal = true, .now = kNow}),
            golden("status.txt"));
}
TEST(Render, WithoutATerminalRatesAreNumbers) {
  const std::string text = render_status(parse_document(golden("status.json")), {.now = kNow});
  EXPECT_NE(text.find("1200000"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}
TEST(Render, ColoursDoNotMoveColumns) {
  const Json status = parse_document(golden("status.json"));
  std::string text = render_status(status, {.terminal = true, .colour = true, .now = kNow});
  EXPECT_NE(text.find("\x1b[32monline\x1b[0m"), std::string::npos);
  for (std::size_t at; (at = text.find('\x1b')) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  EXPECT_EQ(text, golden("status.txt"));
}
TEST(Render, AnEmptyDocumentBreaksNothing) {
  for (const char* text : {"{}", R"({"peers":7,"hubs":null,"health":"x","self":[]})",
                           R"({"peers":[1,null,"x",{}],"hubs":[[]],"attempts":[{}]})"}) {
    const Json json = parse_document(text);
    render_status(json, {});
    render_peers(json, {});
    render_hubs(json, {});
    render_why(json, {});
    render_pong(json);
  }
}
TEST(Render, WhyIsALadderWithWhatWouldHelp) {
  EXPECT_EQ(render_why(parse_document(golden("why.json")), {.terminal = true, .now = kNow}),
            golden("why.txt"));
}
TEST(Render, PeersAndHubsHaveAHeader) {
  const Json status = parse_document(golden("status.json"));
  EXPECT_EQ(render_peers({{"peers", Json::array({status["peers"][0]})}}, {.now = kNow}),
            "NAME  ID  ADDRESS    STATE   PATH                           RTT    SEEN\n"
            "bob   C1  10.66.0.3  online  direct udp4 198.51.100.7:4164  3.1ms  now\n");
  EXPECT_EQ(render_hubs({{"hubs", Json::array({status["hubs"][0]})}}, {}),
            "NAME   ID  STATE   ROLE  RTT   ENDPOINT\n"
            "hub-a  S1  online  -     10ms  203.0.113.9:7700\n");
}
// docs/cli.md: `pong from bob (10.66.0.3) via punched udp4 198.51.100.7:4164 in 3.1 ms`
TEST(Render, PongLinesAreThoseOfTheContract) {
  EXPECT_EQ(render_pong(parse_document(
                R"({"seq":1,"peer":{"name":"bob","address":"10.66.0.3"},"rtt":0.0031,)"
                R"("path":{"kind":"punched","endpoint":"198.51.100.7:4164"}})")),
            "pong from bob (10.66.0.3) via punched udp4 198.51.100.7:4164 in 3.1 ms");
  EXPECT_EQ(render_pong(parse_document(
                R"({"seq":1,"peer":{"name":"bob","address":"10.66.0.3"},"rtt":0.041,)"
                R"("path":{"kind":"relay-udp","via":"hub-b","reason":"R_SYMMETRIC_NAT"}})")),
            "pong from bob (10.66.0.3) via relay-udp hub-b in 41.0 ms");
  EXPECT_EQ(render_pong(parse_document(R"({"seq":4,"peer":{"name":"bob"},"rtt":null})")),
            "no answer from bob (seq 4)");
}
TEST(Human, NumbersAreShort) {
  EXPECT_EQ(milliseconds_text(0.0031), "3.1ms");
  EXPECT_EQ(milliseconds_text(0.041), "41ms");
  EXPECT_EQ(milliseconds_text(1.24), "1.2s");
  EXPECT_EQ(rate_text(0), "0");
  EXPECT_EQ(rate_text(999), "999");
  EXPECT_EQ(rate_text(999.6), "1.0k");
  EXPECT_EQ(rate_text(1.2e6), "1.2M");
  EXPECT_EQ(age_text(2), "now");
  EXPECT_EQ(age_text(273600), "3d4h");
  EXPECT_EQ(age_text(3660), "1h1m");
  EXPECT_EQ(percent_text(0.048), "4.8%");
}
TEST(Human, TimesAreRfc3339) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:10Z"), 10.0);
  EXPECT_EQ(parse_rfc3339("1970-01-01T01:00:10.5+01:00"), 10.5);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:00:00-01:00"), 0.0);
  EXPECT_EQ(parse_rfc3339("yesterday"), std::nullopt);
  EXPECT_EQ(parse_rfc3339(""), std::nullopt);
}
TEST(Human, NatsHaveTheirNames) {
  EXPECT_EQ(nat_text("eim", "apdf"), "port-restricted");
  EXPECT_EQ(nat_text("apdm", "apdf"), "symmetric");
  EXPECT_EQ(nat_text("none", "none"), "none");
  EXPECT_EQ(nat_text("none", "unknown"), "none");
  EXPECT_EQ(nat_text("none", "apdf"), "firewall");
  EXPECT_EQ(nat_text("", ""), "unknown");
  EXPECT_EQ(reason_text("R_NO_CANDIDATES"), "no candidates");
}
TEST(Table, CountsCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"ü", "x"});
  EXPECT_EQ(table.text(), "A  B\nü  x\n");
}

}  // namespace
}  // namespace ginnel::cli
