#include "crypto/aes_gcm.h"

#include <gtest/gtest.h>

namespace ginnel::crypto {
namespace {

AesKey aes_key(std::string_view hex) { return *AesKey::from(*from_hex(hex)); }

struct GcmVector {
  std::string_view key, nonce, aad, plaintext, sealed;
};

// "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B, cases 4, 10 and 16.
constexpr std::string_view kPlaintext =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
    "25b16aedf5aa0de657ba637b39";
constexpr std::string_view kAad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
constexpr GcmVector kVectors[] = {
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", kAad, kPlaintext,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa"
     "051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c", "cafebabefacedbaddecaf888", kAad,
     kPlaintext,
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f"
     "4718e2448b2fe324d9ccda27102519498e80f1478f37ba55bd6d27618c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     kAad, kPlaintext,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(AesGcm, SealsAndOpensTheVectorsOfItsAuthorsForEachKeySize) {
  for (const GcmVector& v : kVectors) {
    AesGcm cipher(aes_key(v.key));
    const ByteVector nonce = *from_hex(v.nonce);
    const ByteVector aad = *from_hex(v.aad);
    const ByteVector plaintext = *from_hex(v.plaintext);
    ByteVector out(plaintext.size() + kTagBytes);
    const AesGcm::Nonce n(nonce.data(), AesGcm::kNonceBytes);
    EXPECT_EQ(cipher.seal(n, aad, {}, plaintext, out), out.size());
    EXPECT_EQ(to_hex(out), v.sealed);
    ASSERT_TRUE(cipher.open(n, aad, {}, out, out));
    EXPECT_TRUE(equal(ConstBytes(out).first(plaintext.size()), plaintext));
  }
}

TEST(AesGcm, AuthenticatesTheTwoPartsOfTheAadAsOne) {
  AesGcm cipher(aes_key("000102030405060708090a0b0c0d0e0f"));
  const std::array<std::byte, 12> nonce{};
  ByteVector sealed(2 + kTagBytes);
  cipher.seal(nonce, bytes_of("lab"), bytes_of("el"), bytes_of("hi"), sealed);
  ByteVector out(sealed.size());
  EXPECT_TRUE(cipher.open(nonce, bytes_of("label"), {}, sealed, out));
  EXPECT_FALSE(cipher.open(nonce, bytes_of("lab"), {}, sealed, out));
}

TEST(AesGcm, RefusesEveryChangedBitAndEveryTruncation) {
  AesGcm cipher(aes_key("000102030405060708090a0b0c0d0e0f"));
  const std::array<std::byte, 12> nonce{};
  ByteVector sealed(5 + kTagBytes);
  cipher.seal(nonce, {}, {}, bytes_of("hello"), sealed);
  ByteVector out(sealed.size());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    ByteVector changed = sealed;
    changed[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    EXPECT_FALSE(cipher.open(nonce, {}, {}, changed, out)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(cipher.open(nonce, {}, {}, ConstBytes(sealed).first(size), out)) << size;
  }
}

TEST(AesKey, HasOneOfThreeSizes) {
  for (std::size_t size = 0; size <= 40; ++size) {
    const bool is_size = size == 16 || size == 24 || size == 32;
    EXPECT_EQ(AesKey::from(ByteVector(size)).has_value(), is_size) << size;
  }
}

}  // namespace
}  // namespace ginnel::crypto
