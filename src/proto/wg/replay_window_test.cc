#include "proto/wg/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"

namespace ginnel::wg {
namespace {

constexpr std::uint64_t kBehind = ReplayWindow::kBehindMax;

TEST(ReplayWindow, AcceptsEachCounterOnce) {
  ReplayWindow window;
  for (std::uint64_t c = 0; c < 1000; ++c) EXPECT_TRUE(window.accept(c)) << c;
  for (std::uint64_t c = 0; c < 1000; ++c) EXPECT_FALSE(window.accept(c)) << c;
}

// RFC 6479 with 128 words: 127 * 64 behind the greatest.
TEST(ReplayWindow, Reaches8128BehindTheGreatestAndNotOneMore) {
  for (const std::uint64_t greatest : {20'000ull, 20'031ull, 20'032ull, 20'063ull, 20'095ull}) {
    ReplayWindow window;
    EXPECT_TRUE(window.accept(greatest));
    EXPECT_FALSE(window.accept(greatest - kBehind - 1)) << greatest;
    EXPECT_TRUE(window.accept(greatest - kBehind)) << greatest;
    EXPECT_FALSE(window.accept(greatest - kBehind)) << greatest;
  }
  EXPECT_EQ(kBehind, 8128u);
}

TEST(ReplayWindow, JumpsPastTheWholeRingForgetWhatIsBehind) {
  ReplayWindow window;
  for (std::uint64_t c = 0; c < 9000; ++c) ASSERT_TRUE(window.accept(c));
  const std::uint64_t far = 9000 + 10 * kBehind;
  EXPECT_TRUE(window.accept(far));
  EXPECT_FALSE(window.accept(8999));
  for (std::uint64_t c = far - kBehind; c < far; ++c) ASSERT_TRUE(window.accept(c)) << c;
  EXPECT_FALSE(window.accept(far));
}

TEST(ReplayWindow, HoldsAtTheEndOfTheCounters) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(~0ull));
  EXPECT_FALSE(window.accept(~0ull));
  EXPECT_TRUE(window.accept(~0ull - kBehind));
  EXPECT_FALSE(window.accept(0));
}

TEST(ReplayWindow, AgreesWithASetOverRandomOrder) {
  Rng rng = Rng::from_seed(9);
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  std::uint64_t greatest = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t base = greatest > 9000 ? greatest - 9000 : 0;
    const std::uint64_t c = base + rng.below(9200);
    const bool fresh = (c > greatest || greatest - c <= kBehind) && !seen.contains(c);
    ASSERT_EQ(!window.is_stale(c), fresh) << c;
    ASSERT_EQ(window.accept(c), fresh) << c;
    seen.insert(c);
    greatest = std::max(greatest, c);
  }
}

}  // namespace
}  // namespace ginnel::wg
