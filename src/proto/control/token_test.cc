#include "proto/control/token.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

Token token() {
  Token out;
  out.role = Role::kPeer;
  out.network = network();
  out.secret = secret_of<TokenSecret>(0x44);
  out.expiry_seconds = kIssued + 3600;
  out.hubs = {{hub_session(), {"hub-a.example.net:7700", "203.0.113.9:7700"}}};
  return out;
}

TEST(Token, RoundTrips) {
  const auto parsed = parse_token(token_text(token()));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, token());
}

TEST(Token, WhiteSpaceAroundItDoesNotMatter) {
  EXPECT_TRUE(parse_token("  \r\n\t" + token_text(token()) + "\n\n"));
  EXPECT_EQ(parse_token(token_text(token()).insert(20, " ")).error(), TokenError::kMalformed);
}

TEST(Token, EveryTruncationIsToldAsSuch) {
  const std::string text = token_text(token());
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto parsed = parse_token(text.substr(0, size));
    ASSERT_FALSE(parsed) << size;
    const bool any_content = size >= kTokenPrefix.size();
    EXPECT_EQ(parsed.error(), any_content ? TokenError::kChecksum : TokenError::kMalformed) << size;
  }
}

TEST(Token, EveryMistypedCharacterIsFound) {
  const std::string text = token_text(token());
  for (std::size_t i = kTokenPrefix.size() + 2; i < text.size(); ++i) {
    std::string typo = text;
    typo[i] = typo[i] == 'A' ? 'B' : 'A';
    const auto parsed = parse_token(typo);
    ASSERT_FALSE(parsed) << i;
    EXPECT_EQ(parsed.error(), TokenError::kChecksum) << i;
  }
}

TEST(Token, OtherTextIsMalformed) {
  for (const char* text : {"", "ginnel", "ginnel2-AAAA", "hello world", "ginnel1-$$$$"}) {
    EXPECT_EQ(parse_token(text).error(), TokenError::kMalformed) << text;
  }
  EXPECT_EQ(parse_token("ginnel1-" + std::string(5000, 'A')).error(), TokenError::kMalformed);
}

TEST(Token, OfANewerProgramSaysSo) {
  EXPECT_EQ(parse_token("ginnel1-AgAA").error(), TokenError::kVersion);
}

// A right checksum around a wrong structure: not a typing mistake.
TEST(Token, RightChecksumAroundWrongContentIsMalformed) {
  const auto with_checksum = [](ByteVector body) {
    const auto sum = crypto::blake2s_256({bytes_of("ginnel token v1"), body});
    body.insert(body.end(), sum.begin(), sum.begin() + 4);
    return std::string(kTokenPrefix) + to_base64(body, Base64::kUrlSafe);
  };
  ByteVector body = *from_base64(token_text(token()).substr(8), Base64::kUrlSafe);
  body = to_vector(ConstBytes(body).first(body.size() - 4));
  ASSERT_TRUE(parse_token(with_checksum(body)));
  for (std::size_t size = 1; size < body.size(); ++size) {
    ByteVector shorter(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(parse_token(with_checksum(shorter)).error(), TokenError::kMalformed) << size;
  }
  body.push_back(std::byte{0});
  EXPECT_EQ(parse_token(with_checksum(body)).error(), TokenError::kMalformed);
}

TEST(Token, GreatestOneFitsAndMoreIsNotMade) {
  Token big = token();
  big.hubs.clear();
  for (std::size_t i = 0; i < kTokenHubsMax; ++i) {
    big.hubs.push_back({hub_session(), std::vector<std::string>(4, std::string(80, 'h'))});
  }
  const auto parsed = parse_token(token_text(big));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, big);
  big.hubs.push_back(big.hubs[0]);
  EXPECT_EQ(token_text(big), "");
  big.hubs.clear();
  EXPECT_EQ(token_text(big), "");
  big.hubs = {{hub_session(), {}}};
  EXPECT_EQ(token_text(big), "");
  big.hubs = {{hub_session(), {"two words"}}};
  EXPECT_EQ(token_text(big), "");
  big.hubs.assign(8, {hub_session(), std::vector<std::string>(8, std::string(255, 'h'))});
  EXPECT_EQ(token_text(big), "");
}

TEST(Token, HubKeepsAHashOfTheSecret) {
  EXPECT_EQ(token_secret_hash(secret_of<TokenSecret>(1)),
            token_secret_hash(secret_of<TokenSecret>(1)));
  EXPECT_NE(token_secret_hash(secret_of<TokenSecret>(1)),
            token_secret_hash(secret_of<TokenSecret>(2)));
}

}  // namespace
}  // namespace ginnel::control
