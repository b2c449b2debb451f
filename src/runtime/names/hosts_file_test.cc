#include "runtime/names/hosts_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>

namespace ginnel::runtime {
namespace {

const Id kId(Role::kPeer, {1});
const Id kOther(Role::kPeer, {2});

class HostsFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/ginnel-hosts-XXXXXX";
    folder_ = mkdtemp(name);
    std::ofstream(path()) << kBefore;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path path() const { return folder_ / "hosts"; }
  std::string text() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static constexpr const char* kBefore = "127.0.0.1 localhost\n";
  std::filesystem::path folder_;
};

TEST_F(HostsFileTest, WritesItsBlockAndTakesItAwayAtTheEnd) {
  {
    HostsFile hosts(path(), kId);
    ASSERT_TRUE(hosts.write(hosts_lines("home", {{"bob", "10.66.0.3"}})));
    EXPECT_EQ(text(), std::string(kBefore) + "# ginnel " + kId.text() +
                          " begin\n10.66.0.3 bob bob.home.ginnel.internal\n# ginnel " + kId.text() +
                          " end\n");
  }
  EXPECT_EQ(text(), kBefore);
}

TEST_F(HostsFileTest, LeavesTheBlocksOfOthersAlone) {
  HostsFile other(path(), kOther);
  ASSERT_TRUE(other.write("10.66.0.9 carol\n"));
  {
    HostsFile mine(path(), kId);
    ASSERT_TRUE(mine.write("10.66.0.3 bob\n"));
    ASSERT_TRUE(mine.write("10.66.0.4 bob\n"));
    EXPECT_EQ(text().find("10.66.0.3"), std::string::npos);
  }
  EXPECT_NE(text().find("10.66.0.9 carol"), std::string::npos);
  EXPECT_EQ(text().find("10.66.0.4"), std::string::npos);
}

TEST_F(HostsFileTest, ADamagedBlockLosesNothingOfOthers) {
  const std::string damaged =
      std::string(kBefore) + "# ginnel " + kId.text() + " begin\n192.0.2.1 printer\n";
  EXPECT_EQ(with_block(damaged, kId, ""), std::string(kBefore) + "192.0.2.1 printer\n");
}

TEST_F(HostsFileTest, SaysWhichFileCannotBeWritten) {
  HostsFile hosts(folder_ / "none" / "hosts", kId);
  const auto done = hosts.write("10.66.0.3 bob\n");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kFile);
}

}  // namespace
}  // namespace ginnel::runtime
