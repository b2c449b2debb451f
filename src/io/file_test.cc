#include "io/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>

namespace ginnel::io {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ginnel-io-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(Files, WrittenFileIsReadBackWithItsModeAndLeavesNothingBehind) {
  const fs::path path = folder_ / "key";
  ASSERT_TRUE(write_file(path, bytes_of("one"), {.mode = 0600}));
  ASSERT_TRUE(write_file(path, bytes_of("two two"), {.mode = 0640}));
  EXPECT_EQ(text_of(read_file(path).value()), "two two");
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, FailedWriteKeepsTheOldContent) {
  const fs::path path = folder_ / "taken";
  fs::create_directory(path);
  const auto done = write_file(path, bytes_of("x"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kFile);
  EXPECT_TRUE(fs::is_directory(path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, ReadRefusesWhatIsTooLongMissingOrNoFile) {
  const fs::path path = folder_ / "f";
  ASSERT_TRUE(write_file(path, bytes_of("12345")));
  EXPECT_TRUE(read_file(path, {.bytes_max = 5}));
  EXPECT_EQ(read_file(path, {.bytes_max = 4}).error().code, Errc::kFile);
  EXPECT_EQ(read_file(folder_ / "none").error().code, Errc::kFile);
  EXPECT_EQ(read_file(folder_).error().code, Errc::kFile);
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(read_file(fifo).error().code, Errc::kFile);
}

// docs/design.md section 4: key files are 0600.
TEST_F(Files, SecretThatOthersCanReadIsRefusedWithItsRemedy) {
  const fs::path path = folder_ / "key";
  ASSERT_TRUE(write_file(path, bytes_of("k"), {.mode = 0640}));
  const auto open = read_file(path, {.secret = true});
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, Errc::kKeyFileMode);
  EXPECT_EQ(open.error().hint, "chmod 600 " + path.string());
  ASSERT_TRUE(write_file(path, bytes_of("k"), {.mode = 0600}));
  EXPECT_TRUE(read_file(path, {.secret = true}));
}

TEST_F(Files, SecondHolderOfALockIsToldWhoHasIt) {
  const fs::path path = folder_ / "lock";
  {
    const auto first = LockFile::take(path);
    ASSERT_TRUE(first);
    const auto second = LockFile::take(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kAlreadyRunning);
    EXPECT_NE(second.error().text.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(LockFile::take(path));
}

TEST_F(Files, LockOfAProcessThatDiedIsFree) {
  const fs::path path = folder_ / "lock";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = LockFile::take(path);
    ::_exit(lock ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(LockFile::take(path));
}

}  // namespace
}  // namespace ginnel::io
