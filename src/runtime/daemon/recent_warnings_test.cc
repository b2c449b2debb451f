#include "runtime/daemon/recent_warnings.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

using Level = node::Notice::Level;

TEST(RecentWarnings, ShowsAWarningForAWhileAndOnceHoweverOftenItComes) {
  RecentWarnings recent;
  recent.add(Instant{0}, {Level::kWarning, "E_NAME_CLASH", "two bobs"});
  recent.add(Instant{0} + 300s, {Level::kWarning, "E_NAME_CLASH", "two bobs"});
  ASSERT_EQ(recent.at(Instant{0} + 899s).size(), 1u);
  EXPECT_EQ(recent.at(Instant{0} + 899s)[0].text, "two bobs");
  EXPECT_TRUE(recent.at(Instant{0} + 900s).empty());
}

TEST(RecentWarnings, KeepsNeitherNewsNorWhatHasNoCode) {
  RecentWarnings recent;
  recent.add({}, {Level::kInfo, "E_NAME_CLASH", "fine again"});
  recent.add({}, {Level::kWarning, "", "just so"});
  EXPECT_TRUE(recent.at({}).empty());
}

TEST(RecentWarnings, AtTheLimitTheOldestGoes) {
  RecentWarnings recent;
  for (std::size_t i = 0; i <= RecentWarnings::kWarningsMax; ++i)
    recent.add({}, {Level::kError, "E_FILE", std::to_string(i)});
  ASSERT_EQ(recent.at({}).size(), RecentWarnings::kWarningsMax);
  EXPECT_EQ(recent.at({})[0].text, "1");
}

}  // namespace
}  // namespace ginnel::runtime
