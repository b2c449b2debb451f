#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ginnel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Error error_of(const Words& words) {
  const auto parsed = parse(words);
  EXPECT_FALSE(parsed);
  return parsed ? Error{} : parsed.error();
}

// docs/cli.md: "`--dir DIR` and `--json` may stand before or after the verb."
TEST(Parse, DirAndJsonStandBeforeOrBehindTheVerb) {
  for (const Words& words :
       {Words{"--dir", "/x", "--json", "ping", "bob"},
        Words{"ping", "--dir", "/x", "bob", "--json"}, Words{"--dir=/x", "ping", "bob", "--json"},
        Words{"ping", "bob", "--json", "--dir=/x"}}) {
    const Parsed parsed = parse(words).value();
    EXPECT_EQ(parsed.verb->name, "ping");
    EXPECT_EQ(parsed.arguments.dir, "/x");
    EXPECT_TRUE(parsed.arguments.json);
    EXPECT_THAT(parsed.arguments.words, ElementsAre("bob"));
  }
}
TEST(Parse, AFolderNamedLikeAVerbIsAFolder) {
  EXPECT_EQ(parse({"--dir", "up", "status"}).value().verb->name, "status");
}
TEST(Parse, AVerbAfterANounIsTwoWords) {
  const Parsed parsed = parse({"config", "--dir", "/x", "set", "tun.mtu", "1300"}).value();
  EXPECT_EQ(parsed.verb->name, "config set");
  EXPECT_THAT(parsed.arguments.words, ElementsAre("tun.mtu", "1300"));
}
TEST(Parse, ANounAloneAsksWhichOne) {
  EXPECT_EQ(error_of({"config"}).code, Errc::kUsage);
  EXPECT_EQ(parse({"config", "--help"}).value().verb->name, "help");
}
// docs/cli.md: "Options may follow DATA; `--` before DATA that begins with `-`."
TEST(Parse, OptionsMayFollowData) {
  const Parsed parsed = parse({"msg", "bob", "hi", "--ack", "--timeout", "3"}).value();
  EXPECT_TRUE(parsed.arguments.has("--ack"));
  EXPECT_EQ(parsed.arguments.get("--timeout"), "3");
  EXPECT_THAT(parsed.arguments.words, ElementsAre("bob", "hi"));
}
TEST(Parse, BehindTwoDashesNothingIsAnOption) {
  const Parsed parsed = parse({"msg", "bob", "--ack", "--", "--json"}).value();
  EXPECT_FALSE(parsed.arguments.json);
  EXPECT_THAT(parsed.arguments.words, ElementsAre("bob", "--json"));
}
TEST(Parse, ADashAloneIsAWord) {
  EXPECT_THAT(parse({"msg", "bob", "-"}).value().arguments.words, ElementsAre("bob", "-"));
  EXPECT_EQ(parse({"join", "--token-file", "-"}).value().arguments.get("--token-file"), "-");
}
TEST(Parse, ShortFlagsAreTheLongOnes) {
  const Parsed parsed = parse({"ping", "bob", "-c", "3", "-i", "0.2"}).value();
  EXPECT_EQ(parsed.arguments.get("--count"), "3");
  EXPECT_EQ(parsed.arguments.get("--interval"), "0.2");
}
TEST(Parse, SomeFlagsMayBeRepeated) {
  EXPECT_THAT(parse({"invite", "--tag", "a=1", "--tag", "b=2"}).value().arguments.all("--tag"),
              ElementsAre("a=1", "b=2"));
  EXPECT_THAT(error_of({"invite", "--ttl", "1h", "--ttl", "2h"}).text, HasSubstr("more than once"));
}
// docs/cli.md: "An unknown verb or flag names the nearest one."
TEST(Parse, AnUnknownVerbNamesTheNearest) {
  EXPECT_EQ(error_of({"stauts"}).text, "stauts: unknown verb, did you mean \"status\"?");
  EXPECT_EQ(error_of({"config", "chekc"}).text,
            "config chekc: unknown verb, did you mean \"config check\"?");
  EXPECT_EQ(error_of({"xyzzyplugh"}).text, "xyzzyplugh: unknown verb");
}
TEST(Parse, AnUnknownFlagNamesTheNearest) {
  EXPECT_EQ(error_of({"status", "--chek"}).text,
            "status: unknown flag --chek, did you mean \"--check\"?");
  EXPECT_EQ(error_of({"join", "--token=abc"}).text,
            "join: unknown flag --token, did you mean \"--token-file\"?");
}
TEST(Parse, AVerbOfALaterVersionSaysSo) {
  const Error error = error_of({"bench"});
  EXPECT_EQ(error.code, Errc::kUsage);
  EXPECT_THAT(error.text, HasSubstr("this version does not have this verb yet"));
}
TEST(Parse, TooFewAndTooManyWordsAreUsageErrors) {
  EXPECT_THAT(error_of({"ping"}).text, HasSubstr("too few words"));
  EXPECT_THAT(error_of({"ping", "a", "b"}).text, HasSubstr("one word too many"));
  EXPECT_THAT(error_of({"msg", "bob"}).text, HasSubstr("PEER… DATA"));
}
TEST(Parse, AFlagWithoutItsValueIsAUsageError) {
  EXPECT_EQ(error_of({"ping", "bob", "--count"}).code, Errc::kUsage);
  EXPECT_EQ(error_of({"--dir"}).code, Errc::kUsage);
}
TEST(Parse, HelpNeedsNoOtherWords) {
  EXPECT_TRUE(parse({"ping", "--help"}).value().help);
  EXPECT_TRUE(parse({"--help"}).value().help);
  EXPECT_EQ(parse({"--version"}).value().verb->name, "version");
}

}  // namespace
}  // namespace ginnel::cli
