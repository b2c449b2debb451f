#include "runtime/config/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace ginnel::config {
namespace {

constexpr std::array<std::string_view, 6> kVerbs = {"status", "peers", "ping",
                                                    "up",     "down",  "init"};

TEST(EditDistance, CountsSwapsOfNeighboursAsOne) {
  EXPECT_EQ(edit_distance("status", "status"), 0u);
  EXPECT_EQ(edit_distance("stauts", "status"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("pings", "ping"), 1u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);
}
TEST(Nearest, NamesTheWordThatWasMeant) {
  EXPECT_EQ(nearest("stauts", kVerbs), "status");
  EXPECT_EQ(nearest("inti", kVerbs), "init");
  EXPECT_EQ(nearest("peer", kVerbs), "peers");
  EXPECT_EQ(nearest("u", kVerbs), "up");
}
TEST(Nearest, NamesTheOneWordThatBeginsSo) {
  constexpr std::array<std::string_view, 3> kFlags = {"--token-file", "--no-tun", "--number"};
  EXPECT_EQ(nearest("--token", kFlags), "--token-file");
  EXPECT_EQ(nearest("--n", kFlags), "");
}
TEST(Nearest, SaysNothingWhenNothingIsClose) {
  EXPECT_EQ(nearest("frobnicate", kVerbs), "");
  EXPECT_EQ(nearest("", kVerbs), "");
}

}  // namespace
}  // namespace ginnel::config
