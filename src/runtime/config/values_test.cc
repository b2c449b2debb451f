#include "runtime/config/values.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

TEST(Duration, ReadsUnitsAndSums) {
  EXPECT_EQ(parse_duration("10s"), Nanoseconds(10s));
  EXPECT_EQ(parse_duration("250ms"), Nanoseconds(250ms));
  EXPECT_EQ(parse_duration("1.5h"), Nanoseconds(90min));
  EXPECT_EQ(parse_duration("1h30m"), Nanoseconds(90min));
  EXPECT_EQ(parse_duration("7d"), Nanoseconds(168h));
  EXPECT_EQ(parse_duration("0s"), Nanoseconds(0));
}
TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"", "10", "s", "10 s", "-1s", "1.s", ".5s", "1e3s", "10x", "1..2s",
                           "999999999999d", "10s ", "\xc3\xa9"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}
TEST(Duration, ANumberAloneIsSecondsOnTheCommandLine) {
  EXPECT_EQ(parse_seconds("1.5"), Nanoseconds(1500ms));
  EXPECT_EQ(parse_seconds("2m"), Nanoseconds(2min));
  EXPECT_EQ(parse_seconds("1e9"), std::nullopt);
  EXPECT_EQ(parse_seconds("99999999999999"), std::nullopt);
}
TEST(Duration, ItsTextReadsBack) {
  for (const Nanoseconds d : {Nanoseconds(1ms), Nanoseconds(90min), Nanoseconds(2s + 5ms),
                              Nanoseconds(49h), Nanoseconds(1)})
    EXPECT_EQ(parse_duration(duration_text(d)), d) << duration_text(d);
  EXPECT_EQ(duration_text(90min), "1h30m");
  EXPECT_EQ(duration_text(0s), "0s");
}
TEST(HubName, ReadsBackWhatItWrites) {
  for (const char* text : {"hub-a.example.net:7700", "203.0.113.9:1", "[2001:db8::1]:65535",
                           "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=@a:1"})
    EXPECT_EQ(hub_name_text(parse_hub_name(text).value()), text);
}
TEST(HubName, RefusesEverythingElse) {
  for (const char* text : {"", "a", ":1", "a:", "a:0", "a:65536", "a:1x", "a b:1", "2001:db8::1:1",
                           "[x]:1", "[]:1", "x@a:1", "a..b:1", "@a:1"})
    EXPECT_FALSE(parse_hub_name(text)) << text;
}
// docs/wire/ginnel.md section 5, Certificate: "1..63 of a-z 0-9 '-', no '-' first or last".
TEST(NodeName, IsWhatACertificateMayHold) {
  EXPECT_TRUE(is_node_name("a"));
  EXPECT_TRUE(is_node_name("hub-b2"));
  for (const char* text : {"", "-a", "a-", "A", "Bob", "a.b", "a b", "a_b", "\xc3\xa9"})
    EXPECT_FALSE(is_node_name(text)) << text;
  EXPECT_FALSE(is_node_name(std::string(64, 'a')));
}
TEST(NodeName, IsMadeFromAnyHostName) {
  EXPECT_EQ(node_name_from_host("Alice.example.net"), "alice");
  EXPECT_EQ(node_name_from_host("my_host"), "my-host");
  EXPECT_EQ(node_name_from_host("_x_"), "x");
  EXPECT_EQ(node_name_from_host(""), "node");
  EXPECT_EQ(node_name_from_host("___"), "node");
  EXPECT_TRUE(is_node_name(node_name_from_host(std::string(200, 'a'))));
}
TEST(Listen, IsAUdpAddress) {
  EXPECT_EQ(parse_listen("udp://[::]:7700")->text(), "[::]:7700");
  EXPECT_FALSE(parse_listen("[::]:7700"));
  EXPECT_FALSE(parse_listen("udp://host:1"));
}

}  // namespace
}  // namespace ginnel::config
