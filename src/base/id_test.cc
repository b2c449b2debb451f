#include <ginnel/id.h>
#include <gtest/gtest.h>

namespace ginnel {
namespace {

TEST(Id, TextRoundTrips) {
  const std::string text = "C0190c3f2-6f3a-8c1d-9e2b-0011223344ff";
  const auto id = Id::parse(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->text(), text);
  EXPECT_FALSE(id->is_hub());
}

TEST(Id, RefusesEveryTextThatIsNoId) {
  const std::string good = "S0190c3f2-6f3a-8c1d-9e2b-0011223344ff";
  ASSERT_TRUE(Id::parse(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(Id::parse(good.substr(0, i))) << i;
    std::string bad = good;
    bad[i] = 'x';
    EXPECT_FALSE(Id::parse(bad)) << i;
  }
  EXPECT_FALSE(Id::parse(good + "0"));
}

}  // namespace
}  // namespace ginnel
