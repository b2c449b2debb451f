#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "crypto/testing/allocations.h"

namespace ginnel::crypto {
namespace {

SymmetricKey key_from_hex(std::string_view hex) { return *SymmetricKey::from(*from_hex(hex)); }

SymmetricKey some_key() {
  Rng rng = Rng::from_seed(7);
  return SymmetricKey::generate(rng);
}

constexpr std::string_view kDraftText =
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
    "Internet-Drafts as reference material or to cite them other than as /\xe2\x80\x9cwork in "
    "progress./\xe2\x80\x9d";

// RFC 8439 appendix A.5. Its nonce begins with 4 zero bytes, as ours do.
TEST(Aead, SealsTheVectorOfTheRfc) {
  Aead aead(key_from_hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"));
  const auto aad = *from_hex("f33388860000000000004e91");
  ByteVector out(kDraftText.size() + kTagBytes);
  aead.seal(0x0807060504030201, aad, bytes_of(kDraftText), out);
  EXPECT_EQ(to_hex(ConstBytes(out).first(16)), "64a0861575861af460f062c79be643bd");
  EXPECT_EQ(to_hex(ConstBytes(out).last(16)), "eead9d67890cbb22392336fea1851f38");
  ASSERT_TRUE(aead.open(0x0807060504030201, aad, out, out));
  EXPECT_EQ(text_of(ConstBytes(out).first(kDraftText.size())), kDraftText);
}

TEST(Aead, OpensInPlaceWhatItSealedInPlaceAtEverySize) {
  Aead aead(some_key());
  for (std::size_t size = 0; size <= 300; ++size) {
    ByteVector buffer(size + kTagBytes, std::byte{0x5a});
    EXPECT_EQ(aead.seal(size, {}, ConstBytes(buffer).first(size), buffer), size + kTagBytes);
    ASSERT_TRUE(aead.open(size, {}, buffer, buffer)) << size;
    EXPECT_TRUE(equal(ConstBytes(buffer).first(size), ByteVector(size, std::byte{0x5a}))) << size;
  }
}

TEST(Aead, RefusesEveryChangedBitTheWrongCounterAndTheWrongAad) {
  Aead aead(some_key());
  const ByteVector aad = to_vector(bytes_of("aad"));
  ByteVector sealed(5 + kTagBytes);
  aead.seal(1, aad, bytes_of("hello"), sealed);
  ByteVector out(sealed.size());
  EXPECT_FALSE(aead.open(2, aad, sealed, out));
  EXPECT_FALSE(aead.open(1, {}, sealed, out));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    ByteVector changed = sealed;
    changed[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    EXPECT_FALSE(aead.open(1, aad, changed, out)) << bit;
  }
  EXPECT_TRUE(aead.open(1, aad, sealed, out));
}

TEST(Aead, RefusesEveryTruncation) {
  Aead aead(some_key());
  ByteVector sealed(5 + kTagBytes);
  aead.seal(1, {}, bytes_of("hello"), sealed);
  ByteVector out(sealed.size());
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(aead.open(1, {}, ConstBytes(sealed).first(size), out)) << size;
  }
}

TEST(Aead, NeverAllocatesAfterConstruction) {
  if (!ginnel::testing::allocations_are_counted()) GTEST_SKIP() << "a sanitizer owns malloc";
  Aead sealer(some_key());
  Aead opener(some_key());
  std::array<std::byte, 1420 + kTagBytes> buffer{};
  const auto before = ginnel::testing::allocations();
  for (std::uint64_t counter = 0; counter < 10'000; ++counter) {
    sealer.seal(counter, {}, ConstBytes(buffer).first(1420), buffer);
    ASSERT_TRUE(opener.open(counter, {}, buffer, buffer));
  }
  EXPECT_EQ(ginnel::testing::allocations() - before, 0u);
  const ByteVector proof(1000);
  EXPECT_GT(ginnel::testing::allocations(), before) << "the counter itself does not work";
}

// draft-irtf-cfrg-xchacha-03 appendix A.3.1.
TEST(XAead, SealsTheVectorOfTheDraft) {
  const auto key = key_from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  XNonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(0x40 + i);
  const auto aad = *from_hex("50515253c0c1c2c3c4c5c6c7");
  constexpr std::string_view kText =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  ByteVector out(kText.size() + kTagBytes);
  EXPECT_EQ(xaead_seal(key, nonce, aad, bytes_of(kText), out), out.size());
  EXPECT_EQ(to_hex(ConstBytes(out).last(16)), "c0875924c1c7987947deafd8780acf49");
  ASSERT_TRUE(xaead_open(key, nonce, aad, out, out));
  EXPECT_EQ(text_of(ConstBytes(out).first(kText.size())), kText);
}

TEST(XAead, RefusesATruncatedAndAChangedMessage) {
  const auto key = some_key();
  ByteVector sealed(5 + kTagBytes);
  xaead_seal(key, {}, {}, bytes_of("hello"), sealed);
  ByteVector out(sealed.size());
  EXPECT_FALSE(xaead_open(key, {}, {}, ConstBytes(sealed).first(15), out));
  EXPECT_FALSE(xaead_open(key, {}, {}, ConstBytes(sealed).first(20), out));
  sealed[0] ^= std::byte{1};
  EXPECT_FALSE(xaead_open(key, {}, {}, sealed, out));
}

}  // namespace
}  // namespace ginnel::crypto
