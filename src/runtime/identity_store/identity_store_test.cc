#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "runtime/identity_store/key_file.h"
#include "runtime/identity_store/places.h"
#include "runtime/identity_store/state_store.h"

namespace ginnel::identity {
namespace {

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = "/tmp/ginnel-store-" + std::to_string(getpid()) + "-XXXXXX";
    dir_ = mkdtemp(name.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(dir_); }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    return info.st_mode & 0777;
  }
  std::filesystem::path dir_;
};

TEST_F(StoreTest, WhatWasPutComesBack) {
  const auto store = StateStore::open(dir_ / "state").value();
  EXPECT_EQ(store.get("pins").value(), std::nullopt);
  ASSERT_TRUE(store.put("pins", bytes_of("one")));
  ASSERT_TRUE(store.put("pins", bytes_of("two")));
  const auto again = StateStore::open(dir_ / "state").value().get("pins").value();
  ASSERT_TRUE(again);
  EXPECT_EQ(text_of(*again), "two");
}

TEST_F(StoreTest, AnEmptyStateIsNotAMissingOne) {
  const auto store = StateStore::open(dir_ / "state").value();
  ASSERT_TRUE(store.put("pins", {}));
  EXPECT_EQ(store.get("pins").value(), ByteVector{});
}

// docs/cli.md: "state/ (private keys 0600)".
TEST_F(StoreTest, FolderAndFilesAreForTheOwnerOnly) {
  const auto store = StateStore::open(dir_ / "state").value();
  ASSERT_TRUE(store.put("identity.key", bytes_of("x")));
  EXPECT_EQ(mode_of(dir_ / "state"), 0700u);
  EXPECT_EQ(mode_of(dir_ / "state/identity.key"), 0600u);
}

TEST_F(StoreTest, AFileThatOthersCanReadIsRefused) {
  const auto store = StateStore::open(dir_ / "state").value();
  ASSERT_TRUE(store.put("identity.key", bytes_of("x")));
  chmod((dir_ / "state/identity.key").c_str(), 0640);
  EXPECT_EQ(store.get("identity.key").error().code, Errc::kKeyFileMode);
}

TEST_F(StoreTest, AKeyThatCannotBeReadSaysSo) {
  const auto store = StateStore::open(dir_ / "state").value();
  std::filesystem::create_directory(dir_ / "state/identity.key");
  chmod((dir_ / "state/identity.key").c_str(), 0700);
  EXPECT_EQ(store.get("identity.key").error().code, Errc::kKeyUnreadable);
}

TEST_F(StoreTest, AFolderThatCannotBeMadeIsAnError) {
  EXPECT_FALSE(StateStore::open("/proc/nowhere/state"));
}

TEST_F(StoreTest, EraseForgets) {
  const auto store = StateStore::open(dir_ / "state").value();
  ASSERT_TRUE(store.put("pins", bytes_of("x")));
  EXPECT_TRUE(store.erase("pins"));
  EXPECT_TRUE(store.erase("pins"));
  EXPECT_EQ(store.get("pins").value(), std::nullopt);
  ASSERT_TRUE(store.put("a", bytes_of("x")));
  ASSERT_TRUE(store.put("b", bytes_of("x")));
  EXPECT_TRUE(store.erase_all());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state"));
}

TEST(StateName, NeverLeavesTheFolder) {
  for (const char* name : {"pins", "identity.key", "table-a_1"}) EXPECT_TRUE(is_state_name(name));
  for (const char* name : {"", ".", "..", "../x", "a/b", ".hidden", "A", "a b"})
    EXPECT_FALSE(is_state_name(name)) << name;
}

TEST_F(StoreTest, KeysReadBack) {
  const auto store = StateStore::open(dir_ / "state").value();
  Rng rng = Rng::from_seed(1);
  const auto key = crypto::SessionSecret::generate(rng);
  ASSERT_TRUE(save_key(store, "session.key", key));
  EXPECT_EQ(load_key<crypto::SessionSecret>(store, "session.key").value().value(), key);
  EXPECT_FALSE(load_key<crypto::SessionSecret>(store, "other.key").value());
}

TEST_F(StoreTest, ADamagedKeyIsUnreadableAndNotShown) {
  const auto store = StateStore::open(dir_ / "state").value();
  ASSERT_TRUE(store.put("session.key", bytes_of("hunter2\n")));
  const auto key = load_key<crypto::SessionSecret>(store, "session.key");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::kKeyUnreadable);
  EXPECT_EQ(key.error().text.find("hunter2"), std::string::npos);
}

Places places(std::string dir, bool root, std::map<std::string, std::string> environment) {
  return places_for({std::move(dir), root, [&](const char* name) {
                       const auto found = environment.find(name);
                       return found == environment.end() ? nullptr : found->second.c_str();
                     }});
}

TEST(Places, AreOneFolderWithDir) {
  const Places p = places("/x", true, {});
  EXPECT_EQ(p.config_file, "/x/ginnel.toml");
  EXPECT_EQ(p.state, "/x/state");
  EXPECT_EQ(p.socket, "/x/ginnel.sock");
}
TEST(Places, AreTheSystemsForRoot) {
  const Places p = places("", true, {{"XDG_CONFIG_HOME", "/ignored"}});
  EXPECT_EQ(p.config_file, "/etc/ginnel/ginnel.toml");
  EXPECT_EQ(p.socket, "/run/ginnel/ginnel.sock");
}
TEST(Places, AreXdgForOthers) {
  const Places p = places("", false, {{"HOME", "/home/a"}, {"XDG_RUNTIME_DIR", "/run/user/7"}});
  EXPECT_EQ(p.config_file, "/home/a/.config/ginnel/ginnel.toml");
  EXPECT_EQ(p.state, "/home/a/.local/state/ginnel/state");
  EXPECT_EQ(p.socket, "/run/user/7/ginnel/ginnel.sock");
  EXPECT_EQ(places("", false, {{"HOME", "/home/a"}}).socket,
            "/home/a/.local/state/ginnel/ginnel.sock");
  EXPECT_EQ(places("", false, {{"HOME", "/h"}, {"XDG_STATE_HOME", "rel"}}).state,
            "/h/.local/state/ginnel/state");
}

}  // namespace
}  // namespace ginnel::identity
