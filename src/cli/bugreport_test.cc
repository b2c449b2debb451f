#include "cli/bugreport.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/tar.h"

namespace ginnel::cli {
namespace {

TEST(Bugreport, HidesTokensAndKeysWhereverTheyStand) {
  const std::string key = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU=";
  ASSERT_EQ(key.size(), 44u);
  EXPECT_EQ(redacted("hubs = [\"" + key + "@hub-a:7700\"]"), "hubs = [\"(hidden)@hub-a:7700\"]");
  EXPECT_EQ(redacted("join ginnel1-AbC-9_z failed"), "join (hidden) failed");
}
TEST(Bugreport, LeavesIdsAddressesAndWordsAsTheyAre) {
  const std::string text =
      "bob C0190c3f2-6f3a-8c1d-9e2b-0011223344ff 10.66.0.3 [2001:db8::1]:7700\n";
  EXPECT_EQ(redacted(text), text);
  EXPECT_EQ(redacted(""), "");
}
// POSIX.1-1988: the checksum is the sum of the header's bytes, its own field counted as spaces.
TEST(Bugreport, ItsArchiveHasRightHeadersAndWholeBlocks) {
  const std::string archive = tar_of({{"a.txt", "hello"}, {"b.txt", std::string(512, 'x')}}, 1);
  EXPECT_EQ(archive.size(), 512u * (2 + 2 + 2));
  std::string header = archive.substr(0, 512);
  const auto checksum = std::stoul(header.substr(148, 6), nullptr, 8);
  header.replace(148, 8, "        ");
  unsigned long sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  EXPECT_EQ(sum, checksum);
  EXPECT_EQ(header.substr(124, 11), "00000000005");
  EXPECT_EQ(archive.substr(512, 5), "hello");
}
TEST(Bugreport, TarReadsItsArchive) {
  const auto path =
      std::filesystem::temp_directory_path() / ("ginnel-tar-" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << tar_of({{"a.txt", "hello\n"}, {"b.txt", ""}}, 1);
  FILE* pipe = popen(("tar -xOf " + path.string() + " a.txt 2>&1").c_str(), "r");
  char line[64] = {};
  ASSERT_TRUE(pipe && fgets(line, sizeof line, pipe));
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_STREQ(line, "hello\n");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace ginnel::cli
