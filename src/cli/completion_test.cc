#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/verb.h"

namespace ginnel::cli {
namespace {

using testing::HasSubstr;

// What a shell prints when it runs this script. nullopt: there is no such shell here.
std::optional<std::string> run_in(const std::string& shell, const std::string& script) {
  const std::string program = shell.substr(0, shell.find(' '));
  if (std::system(("command -v " + program + " >/dev/null").c_str()) != 0) return std::nullopt;
  const auto path = std::filesystem::temp_directory_path() /
                    ("ginnel-completion-" + std::to_string(getpid()));
  std::ofstream(path) << script;
  FILE* pipe = popen((shell + " " + path.string() + " 2>&1").c_str(), "r");
  std::string out;
  char buffer[512];
  while (pipe && fgets(buffer, sizeof buffer, pipe)) out += buffer;
  if (pipe) out += "exit " + std::to_string(pclose(pipe));
  std::filesystem::remove(path);
  return out;
}

// What bash offers for a command line whose last word is under the cursor.
std::optional<std::string> offered(const std::string& line) {
  return run_in("bash", *completion_script("bash") + "COMP_WORDS=(" + line +
                            ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_ginnel\n"
                            "echo \"${COMPREPLY[*]}\"\n");
}

TEST(Completion, OfBashFindsVerbsByTheirBeginning) {
  const auto out = offered("ginnel sta");
  if (!out) GTEST_SKIP() << "no bash";
  EXPECT_EQ(*out, "status\nexit 0");
}
TEST(Completion, OfBashFindsTheVerbsOfANoun) {
  const auto out = offered("ginnel config sh");
  if (!out) GTEST_SKIP() << "no bash";
  EXPECT_EQ(*out, "show\nexit 0");
}
TEST(Completion, OfBashFindsFlagsBehindTheVerbAndItsWords) {
  const auto out = offered("ginnel --dir somewhere ping bob --unt");
  if (!out) GTEST_SKIP() << "no bash";
  EXPECT_EQ(*out, "--until-direct\nexit 0");
}
TEST(Completion, NamesEveryVerbAndFlagInEachShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    ASSERT_TRUE(script);
    for (const Verb& verb : verbs()) {
      EXPECT_THAT(*script, HasSubstr(std::string(verb.name.substr(verb.name.rfind(' ') + 1))))
          << shell;
      for (const FlagGroup& group : verb.groups) {
        for (const Flag& flag : group.flags) {
          EXPECT_THAT(*script, HasSubstr(std::string(flag.name.substr(2)))) << shell;
        }
      }
    }
  }
}
TEST(Completion, EachShellReadsItsScript) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto read = run_in(shell + std::string(" -n"), *completion_script(shell));
    if (!read) continue;  // no such shell here
    EXPECT_EQ(*read, "exit 0") << shell;
  }
}
TEST(Completion, ThereIsNoneForAnotherShell) { EXPECT_FALSE(completion_script("tcsh")); }

}  // namespace
}  // namespace ginnel::cli
