#include "crypto/hash.h"

#include <gtest/gtest.h>

namespace ginnel::crypto {
namespace {

ByteVector counting(std::size_t size) {
  ByteVector out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i % 251);
  return out;
}

// RFC 7693 appendix B, and Python's hashlib for the long one.
TEST(Blake2s, GivesTheVectorsOfTheRfc) {
  EXPECT_EQ(to_hex(blake2s_256({bytes_of("abc")})),
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
  EXPECT_EQ(to_hex(blake2s_256({})),
            "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
  EXPECT_EQ(to_hex(blake2s_256({counting(1000)})),
            "1c067a5e746fb0f6734efac9a8cdb0e11061f0077f255184365c690115392501");
}

TEST(Blake2s, TakesItsInputInAnyPiecesAndStartsAnewAfterFinish) {
  const ByteVector all = counting(1000);
  Blake2s hash;
  for (const std::size_t piece : std::array<std::size_t, 5>{1, 63, 64, 65, 1000}) {
    for (std::size_t at = 0; at < all.size(); at += piece) {
      hash.update(ConstBytes(all).subspan(at, std::min(piece, all.size() - at)));
    }
    EXPECT_EQ(hash.finish(), blake2s_256({all})) << piece;
  }
}

// FIPS 180-4, the example "abc".
TEST(Sha256, GivesTheVectorOfTheStandard) {
  EXPECT_EQ(to_hex(sha256({bytes_of("a"), bytes_of("bc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Python's hashlib.blake2s(..., digest_size=16, key=...).
TEST(Mac16, IsKeyedBlake2sWithALengthOf16) {
  const ByteVector key = counting(32);
  EXPECT_EQ(to_hex(mac16(key, {bytes_of("a"), bytes_of("bc")})),
            "61ba5f165c194692e09d12520cc4c74a");
  EXPECT_EQ(to_hex(mac16(ConstBytes(key).first(16), {counting(1000)})),
            "6c466100a4ac5b4626c7fe718f474940");
}

// Python's hmac over hashlib.blake2s.
TEST(Kdf, DerivesUpToThreeKeysThatExtendEachOther) {
  const SymmetricKey key = *SymmetricKey::from(counting(32));
  EXPECT_EQ(to_hex(hmac(key.bytes(), {bytes_of("ab"), bytes_of("c")})),
            "82623be5bc0a391b24dce53e67d028eff92d586de0485ac37822e597d049c74f");
  const auto three = kdf3(key, bytes_of("abc"));
  EXPECT_EQ(to_hex(three[0].bytes()),
            "c67e0b211ebf48c12c6d41da8fcee207d4c325a8c30f054d97401b14ed212f9f");
  EXPECT_EQ(to_hex(three[1].bytes()),
            "923b032867c597d1df124053325e553b104bf3b76180a46e0c21b44001ec50f6");
  EXPECT_EQ(to_hex(three[2].bytes()),
            "73e5eae9c5d230ea6becb29ab8a49f627aff1eb27586b938a71ae090d4c7a184");
  EXPECT_EQ(kdf2(key, bytes_of("abc"))[1], three[1]);
  EXPECT_EQ(kdf1(key, bytes_of("abc")), three[0]);
}

}  // namespace
}  // namespace ginnel::crypto
