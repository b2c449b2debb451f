#include <ginnel/error.h>
#include <ginnel/result.h>
#include <gtest/gtest.h>

namespace ginnel {
namespace {

enum class Drop { kTooShort };
Result<int, Drop> halve(int n) {
  if (n % 2 != 0) return Fail(Drop::kTooShort);
  return n / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(*halve(8), 4);
  EXPECT_EQ(halve(7).error(), Drop::kTooShort);
  EXPECT_EQ(halve(7).value_or(-1), -1);
}

TEST(Result, ValueOfAFailedResultThrowsTheError) {
  const Result<int, Error> result = Fail(Error{Errc::kUnknownPeer, "no bob", ""});
  try {
    (void)result.value();
    FAIL() << "did not throw";
  } catch (const BadResult& bad) {
    EXPECT_EQ(bad.error().code, Errc::kUnknownPeer);
  }
}

TEST(Error, EveryCodeHasANameAndAnExitCode) {
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i) {
    const auto code = static_cast<Errc>(i);
    EXPECT_TRUE(code_name(code).starts_with("E_")) << i;
    EXPECT_GT(exit_code(code), 0) << i;
    EXPECT_EQ(code_name(code) == "E_INTERNAL", code == Errc::kInternal) << i;
  }
}

}  // namespace
}  // namespace ginnel
