#include "base/strong_int.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace ginnel {
namespace {

using Sn = SerialNumber<struct SnTag, std::uint32_t>;

// RFC 1982 section 3.2.
TEST(SerialNumber, OrdersAcrossTheWrap) {
  EXPECT_LT(Sn(0xffffffff), Sn(0));
  EXPECT_GT(Sn(5), Sn(0xfffffff0));
  EXPECT_EQ(Sn(3) - Sn(0xfffffffe), 5);
  EXPECT_EQ(Sn(0xffffffff) + 1, Sn(0));
}

}  // namespace
}  // namespace ginnel
