#include "runtime/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "crypto/dh.h"
#include "proto/control/chain.h"
#include "proto/control/signing.h"
#include "runtime/config_file.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/prepared.h"

namespace ginnel::runtime {
namespace {

const char* nothing_set(const char*) { return nullptr; }

class Keys : public testing::Test {
 protected:
  Keys() {
    std::string name = "/tmp/ginnel-keys-XXXXXX";
    top_ = mkdtemp(name.data());
  }
  ~Keys() override { std::filesystem::remove_all(top_); }

  identity::Places places(const std::string& name) const {
    return identity::places_for({(top_ / name).string(), false, nothing_set});
  }
  void write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    std::filesystem::create_directories((top_ / name).parent_path());
    std::ofstream(top_ / name) << text;
    chmod((top_ / name).c_str(), mode);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(top_ / name);
    return {std::istreambuf_iterator(in), {}};
  }
  // A folder whose ginnel.toml names this secret.
  void make_folder(const std::string& name, std::string_view secret, mode_t mode = 0600) const {
    write(name + "/net.secret", secret, mode);
    write(name + "/ginnel.toml", "[network]\nsecret_file = \"net.secret\" # ours\n");
  }
  Result<NodeSummary, Error> init(const std::string& folder, bool hub = false) const {
    return init_node({places(folder), hub, "", folder, {}, {}, {}});
  }

  std::filesystem::path top_;
};

constexpr std::string_view kSecret = "uPqB3ZgqJc8mF1yB0QXb6m8y2n1F7z4o5T9wYk3LxHs=\n";

TEST_F(Keys, ANewSecretIsStrongAndNeverTheSame) {
  const std::string once = new_shared_secret().value();
  EXPECT_EQ(once.size(), 44u);
  EXPECT_EQ(control::weakness_of(once), control::SecretWeakness::kNone);
  EXPECT_NE(once, new_shared_secret().value());
}

// docs/cli.md: "`-o F` writes F with mode 0600 instead and never overwrites."
TEST_F(Keys, APrivateFileIsForItsOwnerAndNeverOverwritten) {
  ASSERT_TRUE(write_private_file(top_ / "s", "one\n"));
  struct stat info {};
  ASSERT_EQ(stat((top_ / "s").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(write_private_file(top_ / "s", "two\n").error().code, Errc::kExists);
  EXPECT_EQ(read("s"), "one\n");
}

// docs/cli.md: "With `network.secret_file` no token is needed: `init [--hub] --name N`, then `up`."
TEST_F(Keys, InitMakesNodesOfOneNetworkOutOfOneSecret) {
  make_folder("hub", kSecret);
  make_folder("alice", kSecret);
  ASSERT_TRUE(init("hub", true));
  const NodeSummary alice = init("alice").value();
  EXPECT_FALSE(alice.id.is_hub());
  EXPECT_EQ(init("alice").value().id, alice.id);
  const auto a = prepare(places("alice"), nothing_set);
  const auto h = prepare(places("hub"), nothing_set);
  ASSERT_TRUE(a && h);
  EXPECT_EQ(a->identity.enrolment.network, h->identity.enrolment.network);
  ASSERT_TRUE(a->secret_network && h->secret_network);
  EXPECT_EQ(a->secret_network->preshared, h->secret_network->preshared);
  EXPECT_EQ(read("alice/ginnel.toml").find("[hub]"), std::string::npos);
  EXPECT_NE(read("alice/ginnel.toml").find("secret_file = \"net.secret\" # ours"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(top_ / "alice/state/network.key"));
}

TEST_F(Keys, WeakSecretsAndFilesThatOthersReadAreRefusedAndNotShown) {
  for (const char* secret :
       {"", "\n", "hunter2", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "electroencephalography\n"}) {
    make_folder("weak", secret);
    const auto made = init("weak");
    ASSERT_FALSE(made) << secret;
    EXPECT_EQ(made.error().code, Errc::kSecretWeak) << secret;
    EXPECT_EQ(exit_code(made.error().code), 7);
    EXPECT_EQ(made.error().text.find("hunter2"), std::string::npos);
    EXPECT_NE(made.error().hint.find("ginnel key new"), std::string::npos);
  }
  make_folder("open", kSecret, 0644);
  EXPECT_EQ(init("open").error().code, Errc::kKeyFileMode);
  EXPECT_FALSE(std::filesystem::exists(top_ / "open/state"));
}

TEST_F(Keys, AnotherSecretThanBeforeIsAnotherNetwork) {
  make_folder("alice", kSecret);
  ASSERT_TRUE(init("alice"));
  write("alice/net.secret", new_shared_secret().value());
  EXPECT_EQ(prepare(places("alice"), nothing_set).error().code, Errc::kWrongNetwork);
  write("alice/ginnel.toml", "");
  EXPECT_EQ(prepare(places("alice"), nothing_set).error().code, Errc::kConfigValue);
}

TEST_F(Keys, ATokenIsNotForANetworkByASecret) {
  make_folder("alice", kSecret);
  ASSERT_TRUE(init_node({places("hub"), true, "", "hub", {}, {}, {}}));
  JoinOptions options;
  options.places = places("alice");
  options.token = "ginnel1-AAAA";
  EXPECT_FALSE(join_node(options));
}

TEST_F(Keys, ARotationThatACrashCutsShortLeavesAPairThatFits) {
  make_folder("alice", kSecret);
  ASSERT_TRUE(init("alice"));
  const auto store = identity::StateStore::open(places("alice").state).value();
  auto own = std::move(*identity::load_identity(store).value());
  const auto before = crypto::public_of(own.session);
  Rng rng = Rng::from_seed(1);
  own.session = crypto::SessionSecret::generate(rng);
  auto chain = control::parse_chain(own.enrolment.chain).value();
  chain.leaf.session = crypto::public_of(own.session);
  own.enrolment.chain = control::to_bytes(chain);
  const std::string old_certificate = read("alice/state/enrolment.json");
  const std::string old_key = read("alice/state/session.key");
  ASSERT_TRUE(identity::save_rotation(store, own));
  EXPECT_EQ(crypto::public_of(identity::load_identity(store).value()->session),
            crypto::public_of(own.session));
  // Cut short before the certificate is there, and after.
  const std::string new_key = read("alice/state/session.key");
  const std::string new_certificate = read("alice/state/enrolment.json");
  write("alice/state/session.key", old_key);
  write("alice/state/session-next.key", new_key);
  EXPECT_EQ(crypto::public_of(identity::load_identity(store).value()->session),
            crypto::public_of(own.session));
  write("alice/state/enrolment.json", old_certificate);
  EXPECT_EQ(crypto::public_of(identity::load_identity(store).value()->session), before);
}

TEST_F(Keys, AnExportMakesTheSameNodeElsewhereAndNothingIsOverwritten) {
  make_folder("alice", kSecret);
  const Id id = init("alice").value().id;
  const std::string text = export_node(places("alice")).value();
  EXPECT_EQ(restore_node(places("alice"), text).error().code, Errc::kExists);
  const auto moved = restore_node(places("moved"), text);
  ASSERT_TRUE(moved) << moved.error().text;
  EXPECT_EQ(moved->id, id);
  EXPECT_EQ(read("moved/ginnel.toml"), read("alice/ginnel.toml"));
  write("moved/net.secret", kSecret);
  EXPECT_TRUE(prepare(places("moved"), nothing_set));
  for (const char* wrong : {"", "{}", "[1]", "{\"kind\":\"ginnel node\",\"v\":1}"})
    EXPECT_EQ(restore_node(places("other"), wrong).error().code, Errc::kKeyUnreadable) << wrong;
}

TEST_F(Keys, FactsAreFingerprintsAndNoKeys) {
  make_folder("alice", kSecret);
  const NodeSummary made = init("alice").value();
  const KeyFacts facts = key_facts(places("alice")).value();
  EXPECT_EQ(facts.id, made.id);
  EXPECT_TRUE(facts.by_secret);
  EXPECT_TRUE(facts.by_network_key);
  EXPECT_EQ(facts.identity.size(), 16u);
  EXPECT_NE(facts.identity, facts.session);
  EXPECT_EQ(key_facts(places("nobody")).error().code, Errc::kNotJoined);
}

}  // namespace
}  // namespace ginnel::runtime
