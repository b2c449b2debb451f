// Lines of memberlist's own tests that no other file here covers; docs/testing.md has the whole
// list.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "proto/swim/broadcast_queue.h"
#include "proto/swim/key_ring.h"
#include "proto/swim/lzw.h"

namespace ginnel::swim {
namespace {

crypto::AesKey key_of(std::uint8_t i) {
  return *crypto::AesKey::from(ByteVector(16, std::byte{i}));
}

ByteVector sealed_with(std::uint8_t key, std::uint8_t version, ConstBytes plain,
                       ConstBytes aad = {}) {
  KeyRing ring;
  ring.install(key_of(key)).value();
  Rng rng = Rng::from_seed(key);
  ByteVector out;
  ring.seal(version, aad, {}, plain, rng, out);
  return out;
}

// memberlist TestCompressDecompressPayload. The encoder's table has the size that its input needs,
// so lengths around each power of two count.
TEST(Lzw, WhatWasCompressedComesBackAtEveryLength) {
  Rng rng = Rng::from_seed(1);
  ByteVector noise(70'000);
  rng.fill(noise);
  ByteVector words(noise);
  for (std::byte& b : words) b &= std::byte{3};
  const auto comes_back = [](ConstBytes plain) {
    const auto out = lzw_decompress(lzw_compress(plain), plain.size());
    return out && std::ranges::equal(*out, plain);
  };
  for (const ByteVector& bytes : {noise, words, ByteVector(70'000)}) {
    for (std::size_t n = 0; n < 1100; ++n) ASSERT_TRUE(comes_back(ConstBytes(bytes).first(n))) << n;
    for (std::size_t n = 2046; n < 70'000; n += n < 2050 ? 1 : n / 2 + 1) {
      ASSERT_TRUE(comes_back(ConstBytes(bytes).first(n))) << n;
    }
  }
}

// memberlist TestKeyring_AddRemoveUse.
TEST(KeyRing, AKeyThatIsInstalledAgainIsThereOnceAndStaysInItsPlace) {
  KeyRing ring;
  EXPECT_TRUE(ring.empty());
  ring.install(key_of(1)).value();
  ring.install(key_of(2)).value();
  ring.install(key_of(2)).value();
  ring.install(key_of(1)).value();
  EXPECT_EQ(ring.size(), 2u);
  EXPECT_TRUE(std::ranges::equal(ring.key(0), key_of(1).bytes()));
}

TEST(KeyRing, HoldsNoMoreKeysThanItsLimit) {
  KeyRing ring;
  for (std::uint8_t i = 0; i < KeyRing::kKeysMax; ++i) ring.install(key_of(i)).value();
  EXPECT_EQ(ring.install(key_of(99)).error(), KeyError::kRingFull);
  EXPECT_TRUE(ring.install(key_of(3)));
  EXPECT_EQ(ring.size(), KeyRing::kKeysMax);
}

// memberlist TestKeyring_MultiKeyEncryptDecrypt.
TEST(KeyRing, OpensWhatAnyOfItsKeysSealedUntilThatKeyIsRemoved) {
  KeyRing ring;
  for (std::uint8_t i = 1; i <= 3; ++i) ring.install(key_of(i)).value();
  const ByteVector plain = *from_hex("0801");
  ByteVector scratch;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(ring.open(sealed_with(i, 1, plain), {}, {}, scratch)) << int{i};
  }
  ring.remove(key_of(3).bytes()).value();
  EXPECT_EQ(ring.open(sealed_with(3, 1, plain), {}, {}, scratch).error(), Drop::kWrongKey);
  EXPECT_TRUE(ring.open(sealed_with(2, 1, plain), {}, {}, scratch));
}

// memberlist TestPKCS7, TestEncryptDecrypt_V0 and V1: version 0 fills up blocks of 16 bytes.
TEST(KeyRing, MessagesOfEveryLengthComeBackByBothVersions) {
  KeyRing ring;
  ring.install(key_of(1)).value();
  ByteVector scratch;
  for (std::size_t n = 1; n <= 40; ++n) {
    const ByteVector plain(n, std::byte{16});  // looks like padding
    for (const std::uint8_t version : {std::uint8_t{0}, std::uint8_t{1}}) {
      const ByteVector sealed = sealed_with(1, version, plain);
      EXPECT_EQ(sealed.size(), ring.sealed_bytes(version, n));
      const auto opened = ring.open(sealed, {}, {}, scratch);
      ASSERT_TRUE(opened) << n;
      EXPECT_TRUE(std::ranges::equal(*opened, plain)) << n;
    }
  }
}

// memberlist: the label is authenticated data, so a packet cannot be moved to another cluster.
TEST(KeyRing, WhatWasSealedUnderOneLabelDoesNotOpenUnderAnother) {
  KeyRing ring;
  ring.install(key_of(1)).value();
  const ByteVector here = *from_hex("f401aa"), there = *from_hex("f401bb");
  const ByteVector sealed = sealed_with(1, 1, *from_hex("0801"), here);
  ByteVector scratch;
  EXPECT_TRUE(ring.open(sealed, here, {}, scratch));
  EXPECT_EQ(ring.open(sealed, there, {}, scratch).error(), Drop::kWrongKey);
  EXPECT_EQ(ring.open(sealed, {}, {}, scratch).error(), Drop::kWrongKey);
}

// memberlist TestTransmitLimited_Prune: what was sent most often, and of that the oldest, goes.
TEST(BroadcastQueue, AtItsLimitTheMessageThatWasSentMostGoes) {
  BroadcastQueue queue;
  std::vector<ByteVector> sent;
  queue.add("old", ByteVector(8));
  queue.take(8, 0, 5, sent);
  ASSERT_EQ(sent.size(), 1u);
  for (std::size_t i = 1; i < BroadcastQueue::kMessagesMax; ++i) {
    queue.add("n" + std::to_string(i), ByteVector(8));
  }
  EXPECT_TRUE(queue.contains("old"));
  queue.add("one more", ByteVector(8));
  EXPECT_FALSE(queue.contains("old"));
  EXPECT_TRUE(queue.contains("n1"));
  queue.add("and another", ByteVector(8));
  EXPECT_FALSE(queue.contains("n1"));
  EXPECT_TRUE(queue.contains("n2"));
}

}  // namespace
}  // namespace ginnel::swim
