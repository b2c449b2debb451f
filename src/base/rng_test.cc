#include "base/rng.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

// RFC 8439 appendix A.1, test vector 1: the key stream of the all-zero key and nonce.
TEST(Rng, IsTheChaCha20KeyStream) {
  Rng rng(Rng::Key{});
  const auto block = rng.array<32>();
  EXPECT_EQ(to_hex(bytes_of(block)),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
}

TEST(Rng, ForksAreIndependentOfEachOtherAndRepeat) {
  Rng a = Rng::from_seed(7);
  Rng b = Rng::from_seed(7);
  Rng a1 = a.fork("one");
  Rng b1 = b.fork("one");
  Rng b2 = Rng::from_seed(7).fork("two");
  EXPECT_EQ(a1.u64(), b1.u64());
  EXPECT_NE(a1.u64(), b2.u64());
}

TEST(Rng, BelowIsUniform) {
  Rng rng = Rng::from_seed(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[rng.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

}  // namespace
}  // namespace ginnel
