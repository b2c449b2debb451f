#include "runtime/setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "proto/control/chain.h"
#include "runtime/config_file.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/prepared.h"

namespace ginnel::runtime {
namespace {

using testing::HasSubstr;

const char* no_environment(const char*) { return nullptr; }

class Setup : public testing::Test {
 protected:
  Setup() {
    std::string name = "/tmp/ginnel-setup-" + std::to_string(getpid()) + "-XXXXXX";
    top_ = mkdtemp(name.data());
    places_ = identity::places_for({(top_ / "n").string(), false, no_environment});
  }
  ~Setup() override { std::filesystem::remove_all(top_); }

  Result<NodeSummary, Error> init(std::string name = "hub-a") {
    InitOptions options{places_, true, "", std::move(name), {}, {}, {}};
    return init_node(options);
  }
  std::string toml() const {
    std::ifstream in(places_.config_file);
    return {std::istreambuf_iterator(in), {}};
  }
  void write_toml(std::string_view text) const {
    std::filesystem::create_directories(places_.config_file.parent_path());
    std::ofstream(places_.config_file) << text;
  }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }

  std::filesystem::path top_;
  identity::Places places_;
};

TEST_F(Setup, InitMakesAHubWithACertificateOfItsOwnNetwork) {
  const NodeSummary made = init().value();
  EXPECT_TRUE(made.id.is_hub());
  EXPECT_EQ(made.name, "hub-a");
  EXPECT_EQ(made.network, "home");
  ASSERT_EQ(made.addresses.size(), 2u);
  EXPECT_THAT(made.addresses[0], testing::StartsWith("10.66."));
  const auto prepared = prepare(places_, no_environment);
  ASSERT_TRUE(prepared);
  const auto& enrolment = prepared->identity.enrolment;
  const auto chain = control::parse_chain(enrolment.chain);
  ASSERT_TRUE(chain);
  const Wall soon{static_cast<std::int64_t>(chain->leaf.not_before_seconds + 1) * 1'000'000'000};
  const auto verified = control::verify_chain(*chain, enrolment.network, soon);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->id, made.id);
  EXPECT_EQ(verified->overlay_ipv6.text(), made.addresses[1]);
  EXPECT_TRUE(prepared->config.loaded.config.hub);
  EXPECT_EQ(prepared->config.loaded.config.node.name, "hub-a");
}

// docs/cli.md: "`init` on an existing node changes nothing and prints the same Id."
TEST_F(Setup, InitOnAnExistingNodeChangesNothing) {
  const Id first = init().value().id;
  const std::string before = toml();
  EXPECT_EQ(init("other").value().id, first);
  EXPECT_EQ(toml(), before);
}

// docs/cli.md: "create DIR (0700) with ginnel.toml, state/ (private keys 0600)".
TEST_F(Setup, InitKeepsTheFolderPrivate) {
  ASSERT_TRUE(init());
  EXPECT_EQ(mode_of(top_ / "n"), 0700u);
  EXPECT_EQ(mode_of(places_.state), 0700u);
  for (const char* name : {"identity.key", "session.key", "network.key", "enrolment.json"})
    EXPECT_EQ(mode_of(places_.state / name), 0600u);
}

// docs/cli.md: "`init` in a DIR that has a `ginnel.toml` but no identity keeps every key".
TEST_F(Setup, InitKeepsTheFileThatIsThere) {
  write_toml("# mine\n[node]\nname = \"x\" # this one\n[network]\ncidr = \"10.70.0.0/16\"\n");
  const NodeSummary made = init("").value();
  EXPECT_EQ(made.name, "x");
  EXPECT_THAT(made.addresses[0], testing::StartsWith("10.70."));
  EXPECT_THAT(toml(), HasSubstr("# mine\n[node]\nname = \"x\" # this one\n"));
  EXPECT_THAT(toml(), HasSubstr("[hub]"));
}

TEST_F(Setup, FlagsOfInitGoIntoTheFile) {
  InitOptions options{places_,
                      true,
                      "net",
                      "h",
                      Endpoint::parse("127.0.0.1:7701"),
                      Endpoint::parse("203.0.113.9:7700"),
                      Prefix::parse("10.80.0.0/24")};
  EXPECT_EQ(init_node(options).value().network, "net");
  EXPECT_THAT(toml(), HasSubstr("listen = [\"udp://127.0.0.1:7701\"]"));
  EXPECT_THAT(toml(), HasSubstr("public = \"203.0.113.9:7700\""));
  EXPECT_THAT(toml(), HasSubstr("cidr = \"10.80.0.0/24\""));
  EXPECT_TRUE(prepare(places_, no_environment));
}

TEST_F(Setup, InitWithoutAHubIsAUsageErrorAndLeavesNothing) {
  InitOptions options{places_, false, "", "a", {}, {}, {}};
  EXPECT_EQ(init_node(options).error().code, Errc::kUsage);
  EXPECT_FALSE(std::filesystem::exists(top_ / "n"));
}

TEST_F(Setup, InitRefusesAFileWithProblems) {
  write_toml("[node]\nnmae = \"x\"\n");
  const Error error = init().error();
  EXPECT_EQ(error.code, Errc::kConfigKey);
  EXPECT_THAT(error.text, HasSubstr(":2:1: unknown key \"nmae\""));
  EXPECT_FALSE(std::filesystem::exists(places_.state));
}

TEST_F(Setup, EveryTokenThatIsNoneIsMalformed) {
  for (const char* token : {"", "hello", "ginnel1-", "ginnel1-AAAA"}) {
    const auto joined = join_node({places_, token, "a", false, 1s, false, {}, {}});
    EXPECT_EQ(joined.error().code, Errc::kTokenMalformed) << token;
  }
  EXPECT_FALSE(std::filesystem::exists(top_ / "n"));  // "leaves nothing behind when it fails"
}

TEST_F(Setup, AFolderWithoutAnIdentityIsNotJoined) {
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kNotJoined);
  write_toml("[node]\n");
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kNotJoined);
}

TEST_F(Setup, OneFolderIsForOneDaemon) {
  ASSERT_TRUE(init());
  const auto first = prepare(places_, no_environment);
  ASSERT_TRUE(first);
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kAlreadyRunning);
}

TEST_F(Setup, ADamagedOrMissingKeyIsUnreadable) {
  ASSERT_TRUE(init());
  const auto key = places_.state / "session.key";
  std::ofstream(key) << "nonsense\n";
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kKeyUnreadable);
  std::filesystem::remove(key);
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kKeyUnreadable);
}

TEST_F(Setup, AKeyThatOthersCanReadIsRefused) {
  ASSERT_TRUE(init());
  chmod((places_.state / "identity.key").c_str(), 0644);
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kKeyFileMode);
}

TEST_F(Setup, ADamagedEnrolmentIsUnreadable) {
  ASSERT_TRUE(init());
  for (const char* text : {"", "{", "{\"v\":1}", "[]"}) {
    std::ofstream(places_.state / "enrolment.json") << text;
    EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kKeyUnreadable) << text;
  }
}

// docs/cli.md: "What is certified at `init` or `join` stays".
TEST_F(Setup, AFileThatSaysOtherThanTheCertificateIsRefused) {
  ASSERT_TRUE(init());
  const std::string good = toml();
  ASSERT_TRUE(prepare(places_, no_environment));
  for (const std::string& text :
       {std::string("[node]\nname = \"other\"\n[hub]\n"), std::string("[node]\nname = \"hub-a\"\n"),
        good + "\n[network]\ncidr = \"10.77.0.0/16\"\n"}) {
    write_toml(text);
    const auto prepared = prepare(places_, no_environment);
    ASSERT_FALSE(prepared) << text;
    EXPECT_EQ(prepared.error().code, Errc::kConfigValue) << text;
    EXPECT_FALSE(prepared.error().hint.empty());
  }
  write_toml(good + "\n[network]\ncidr = \"10.66.0.0/16\"\n");
  EXPECT_TRUE(prepare(places_, no_environment));
}

TEST_F(Setup, TheEnvironmentsLogLevelIsChecked) {
  ASSERT_TRUE(init());
  const auto loud = [](const char*) { return "loud"; };
  EXPECT_EQ(prepare(places_, loud).error().code, Errc::kConfigValue);
}

TEST_F(Setup, PresharedKeysAreCheckedBeforeTheDaemonRuns) {
  ASSERT_TRUE(init());
  std::ofstream(places_.config_file, std::ios::app)
      << "[[wireguard.peer]]\nname = \"p\"\nallowed_ips = [\"10.66.9.1\"]\npsk_file = \"p.psk\"\n"
         "public_key = \"B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\"\n";
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kFile);
  std::ofstream(top_ / "n/p.psk") << "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n";
  chmod((top_ / "n/p.psk").c_str(), 0644);
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kKeyFileMode);
  chmod((top_ / "n/p.psk").c_str(), 0600);
  EXPECT_TRUE(prepare(places_, no_environment));
  std::ofstream(top_ / "n/p.psk") << "short\n";
  EXPECT_EQ(prepare(places_, no_environment).error().code, Errc::kKeyUnreadable);
}

}  // namespace
}  // namespace ginnel::runtime
