#include "base/base64.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

// RFC 4648 section 10.
TEST(Base64, EncodesTheVectorsOfTheRfc) {
  EXPECT_EQ(to_base64(bytes_of("")), "");
  EXPECT_EQ(to_base64(bytes_of("f")), "Zg==");
  EXPECT_EQ(to_base64(bytes_of("fo")), "Zm8=");
  EXPECT_EQ(to_base64(bytes_of("foo")), "Zm9v");
  EXPECT_EQ(to_base64(bytes_of("foob")), "Zm9vYg==");
  EXPECT_EQ(to_base64(bytes_of("fooba")), "Zm9vYmE=");
  EXPECT_EQ(to_base64(bytes_of("foobar")), "Zm9vYmFy");
}

TEST(Base64, DecodesWhatItEncodesInBothAlphabets) {
  ByteVector bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<std::byte>(i * 37));
    for (const auto alphabet : {Base64::kStandard, Base64::kUrlSafe}) {
      EXPECT_EQ(from_base64(to_base64(bytes, alphabet), alphabet), bytes) << i;
    }
  }
}

TEST(Base64, UrlSafeTextNeedsNoEscapeInAUrl) {
  const ByteVector bytes(4, std::byte{0xff});
  EXPECT_EQ(to_base64(bytes, Base64::kUrlSafe), "_____w");
  EXPECT_EQ(to_base64(bytes, Base64::kStandard), "/////w==");
}

TEST(Base64, RefusesEveryOtherTextForTheSameBytes) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9", "Zm9=v",
                           "====", "Zg==Zg==", "Zm 9v", "Zm9v\n", "_w=="}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  for (const char* text : {"Zg==", "Zh", "Z", "+w", "/w"}) {
    EXPECT_FALSE(from_base64(text, Base64::kUrlSafe)) << text;
  }
}

}  // namespace
}  // namespace ginnel
