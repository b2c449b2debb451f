#include "base/bytes.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

TEST(Hex, RoundTrips) {
  EXPECT_EQ(to_hex(bytes_of("\x01\xaf")), "01af");
  EXPECT_EQ(to_hex(*from_hex("00FFa1")), "00ffa1");
}

TEST(Hex, RefusesOddLengthsAndOtherLetters) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("0g"));
}

}  // namespace
}  // namespace ginnel
