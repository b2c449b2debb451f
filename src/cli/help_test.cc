#include "cli/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/parse.h"
#include "cli/table.h"

namespace ginnel::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

void expect_narrow(const std::string& text) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    EXPECT_LE(display_width(line), 80u) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

// docs/cli.md: "--help: one line of purpose, two or three real examples first, flags grouped with
// default and variable, exit codes; at most 80 columns."
TEST(Help, EveryVerbHasPurposeExamplesFlagsAndExits) {
  for (const Verb& verb : verbs()) {
    const std::string text = verb_help(verb);
    expect_narrow(text);
    EXPECT_TRUE(text.starts_with(std::string(verb.purpose) + "\n\n  $ ginnel ") ||
                text.find("\n\n  $ ") == verb.purpose.size())
        << verb.name;
    EXPECT_GE(verb.examples.size(), 1u) << verb.name;
    EXPECT_LE(verb.examples.size(), 3u) << verb.name;
    EXPECT_THAT(text, HasSubstr("\nExit: 0 ok, "));
    EXPECT_THAT(text, HasSubstr("($GINNEL_DIR)"));
    EXPECT_THAT(verb.purpose, Not(testing::EndsWith(".")));
  }
}
// The words behind "ginnel", up to where the shell takes over.
std::vector<std::string> words_of_command(std::string_view command) {
  std::istringstream in{std::string(command)};
  std::vector<std::string> out;
  for (std::string word; in >> word;) {
    const auto shell = word.find_first_of("|&<>;)");
    if (shell > 0) out.push_back(word.substr(0, shell));
    if (shell != std::string::npos) break;
  }
  return out;
}
// A line to copy must be one that the parser takes.
TEST(Help, EveryExampleIsACommandLine) {
  for (const Verb& verb : verbs()) {
    for (const std::string_view example : verb.examples) {
      constexpr std::string_view kProgram = "ginnel ";
      bool shows_the_verb = false;
      for (auto at = example.find(kProgram); at != example.npos;
           at = example.find(kProgram, at + 1)) {
        const auto parsed = parse(words_of_command(example.substr(at + kProgram.size())));
        ASSERT_TRUE(parsed) << example << ": " << parsed.error().text;
        shows_the_verb = shows_the_verb || parsed->verb == &verb;
      }
      EXPECT_TRUE(shows_the_verb) << example;
    }
  }
}
TEST(Help, EveryExitOfAVerbIsExplained) {
  for (const Verb& verb : verbs()) {
    const std::string text = verb_help(verb);
    std::string line = text.substr(text.rfind("Exit:"));
    std::ranges::replace(line, '\n', ' ');
    for (const int exit : verb.exits)
      EXPECT_THAT(line, HasSubstr(" " + std::to_string(exit) + " ")) << verb.name;
  }
}
TEST(Help, AVerbsPageIsAsItIs) {
  EXPECT_EQ(verb_help(*find_verb("ping")),
            "Ask a peer for an answer, and say what path it took\n"
            "\n"
            "  $ ginnel ping bob\n"
            "  $ ginnel ping bob -c 3\n"
            "  $ ginnel ping bob --until-direct\n"
            "\n"
            "Usage: ginnel ping [FLAG…] PEER\n"
            "\n"
            "Ping:\n"
            "  -c, --count N              stop after N [until interrupted]\n"
            "  -i, --interval S           seconds between two [1]\n"
            "      --size BYTES           bytes of padding in each, up to 1440 [56]\n"
            "      --until-direct         stop at the first answer that came without a relay\n"
            "\n"
            "Everywhere:\n"
            "      --dir DIR              config, identity, state and socket of one node\n"
            "                             ($GINNEL_DIR)\n"
            "      --json                 one JSON document instead of text\n"
            "  -h, --help                 this text\n"
            "\n"
            "Exit: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 permission denied, 5 no\n"
            "such peer or key, 6 unreachable or timed out\n");
}
TEST(Help, TheOverviewNamesEveryVerb) {
  expect_narrow(overview());
  for (const Verb& verb : verbs())
    EXPECT_THAT(overview(), HasSubstr("\n  " + std::string(verb.name) + " "));
}
TEST(Help, EveryCodeHasItsParagraph) {
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i) {
    const std::string name(code_name(static_cast<Errc>(i)));
    const auto text = help_on(name);
    ASSERT_TRUE(text) << name;
    EXPECT_TRUE(text->starts_with(name + " (exit "));
    expect_narrow(*text);
  }
}
TEST(Help, EveryCheckOfDoctorHasItsParagraph) {
  EXPECT_EQ(check_codes().size(), 7u);
  for (const std::string_view code : check_codes()) {
    const auto text = help_on(code);
    ASSERT_TRUE(text) << code;
    EXPECT_TRUE(text->starts_with(std::string(code) + " (doctor): "));
    expect_narrow(*text);
  }
  EXPECT_EQ(nearest_topic("E_RPFILTER"), "E_RP_FILTER");
}
TEST(Help, EveryTopicHasItsText) {
  for (const std::string_view topic : topics()) {
    ASSERT_TRUE(help_on(topic)) << topic;
    expect_narrow(*help_on(topic));
  }
  EXPECT_THAT(*help_on("config"), HasSubstr("ginnel config check"));
  EXPECT_THAT(*help_on("config"), HasSubstr("punch.probes_per_second     500"));
  EXPECT_THAT(*help_on("wg"), HasSubstr("ginnel wg export NAME"));
}
TEST(Help, WhatItDoesNotKnowHasANearestTopic) {
  EXPECT_FALSE(help_on("E_HUB_UNREACHEABLE"));
  EXPECT_EQ(nearest_topic("E_HUB_UNREACHEABLE"), "E_HUB_UNREACHABLE");
}
// A flag of a verb that the parser does not take would be a lie of its help.
TEST(Help, EveryFlagOfEveryVerbIsParsed) {
  for (const Verb& verb : verbs()) {
    for (const FlagGroup& group : verb.groups) {
      for (const Flag& flag : group.flags) {
        std::istringstream name{std::string(verb.name)};
        std::vector<std::string> words;
        for (std::string word; name >> word;) words.push_back(word);
        for (std::size_t i = 0; i < verb.words_min; ++i) words.push_back("word");
        words.emplace_back(flag.name);
        if (!flag.value.empty()) words.emplace_back("value");
        EXPECT_TRUE(parse(words).value().arguments.has(flag.name)) << verb.name << flag.name;
      }
    }
  }
}

}  // namespace
}  // namespace ginnel::cli
