#include "proto/wg/cookie.h"

#include <gtest/gtest.h>

#include "base/writer.h"
#include "proto/wg/testing/vectors.h"

namespace ginnel::wg {
namespace {

using testing::Vectors;

const Route kFrom{kSocket, {Address::v4(192, 0, 2, 7), 0xca6c}};
constexpr Nanoseconds kLifetime = 120s;

struct CookieTest : ::testing::Test {
  const Vectors vectors{"computed.hex"};
  const crypto::SessionPublic responder = vectors.key<crypto::SessionPublic>("responder_public");
  CookieChecker checker{responder, kLifetime, Rng::from_seed(1)};
  CookieJar jar{responder, kLifetime};
  Instant now{5'000'000'000};

  ByteVector initiation() {
    ByteVector out = vectors["initiation"];
    std::fill(out.end() - kMacsBytes, out.end(), std::byte{0});
    jar.add_macs(now, out);
    return out;
  }
  // The jar asks and gets a cookie.
  void exchange_cookie(const Route& from = kFrom) {
    const ByteVector message = initiation();
    const auto reply = checker.create_reply(now, from, message, ReceiverIndex(7));
    ASSERT_TRUE(jar.consume_reply(now, reply));
  }
};

TEST_F(CookieTest, Mac1IsRightForTheReceiversKeyOnly) {
  EXPECT_TRUE(checker.mac1_is_right(vectors["initiation"]));
  ByteVector wrong = vectors["initiation"];
  wrong[5] ^= std::byte{1};
  EXPECT_FALSE(checker.mac1_is_right(wrong));
  EXPECT_FALSE(checker.mac1_is_right(vectors["response"]));  // it is to the initiator
}

// The computed vectors: a reply from wireguard-go's side of the protocol opens, and the cookie
// makes the very mac2.
TEST_F(CookieTest, OpensTheComputedReplyAndWritesTheComputedMac2) {
  EXPECT_EQ(to_hex(initiation()), vectors.hex("initiation"));
  const auto cookie = jar.consume_reply(now, *CookieReply::parse(vectors["cookie_reply"]));
  ASSERT_TRUE(cookie);
  EXPECT_EQ(to_hex(*cookie), vectors.hex("cookie"));
  EXPECT_EQ(to_hex(initiation()), vectors.hex("initiation_with_mac2"));
}

// The same vectors from the checker's side: the secret and the nonce are its first random bytes.
TEST_F(CookieTest, CookieIsTheMacOfAddressAndPortUnderTheSecret) {
  EXPECT_EQ(to_hex(crypto::mac16(vectors["cookie_secret"], {*from_hex("c0000207ca6c")})),
            vectors.hex("cookie"));
}

TEST_F(CookieTest, MessageWithTheCookieIsAcceptedFromThatSourceOnly) {
  EXPECT_FALSE(checker.mac2_is_right(now, kFrom, initiation()));
  exchange_cookie();
  EXPECT_TRUE(checker.mac2_is_right(now, kFrom, initiation()));
  const Route other_port{kSocket, {kFrom.endpoint.address, 1}};
  const Route other_address{kSocket, {Address::v4(192, 0, 2, 8), kFrom.endpoint.port}};
  const Route other_path{PathId(3), kFrom.endpoint};
  for (const Route& other : {other_port, other_address, other_path}) {
    EXPECT_FALSE(checker.mac2_is_right(now, other, initiation()));
  }
}

// COOKIE_REFRESH_TIME: the secret and the cookie both live 120 s.
TEST_F(CookieTest, CookieDiesAfterItsLifetimeOnBothSides) {
  exchange_cookie();
  const ByteVector message = initiation();
  now = now + (kLifetime - 1ns);
  EXPECT_TRUE(checker.mac2_is_right(now, kFrom, message));
  now = now + 1ns;
  EXPECT_FALSE(checker.mac2_is_right(now, kFrom, message));
  const ByteVector without = initiation();
  EXPECT_TRUE(std::ranges::all_of(ConstBytes(without).last(16),
                                  [](std::byte b) { return b == std::byte{0}; }));
}

TEST_F(CookieTest, ReplyToAnotherMessageIsRefused) {
  EXPECT_FALSE(jar.consume_reply(now, *CookieReply::parse(vectors["cookie_reply"])));
  ByteVector message = initiation();
  auto reply = checker.create_reply(now, kFrom, message, ReceiverIndex(7));
  reply.sealed_cookie[3] ^= std::byte{1};
  EXPECT_FALSE(jar.consume_reply(now, reply));
  reply.sealed_cookie[3] ^= std::byte{1};
  message[4] ^= std::byte{1};
  jar.add_macs(now, message);  // the last message is another one now
  EXPECT_FALSE(jar.consume_reply(now, reply));
}

}  // namespace
}  // namespace ginnel::wg
