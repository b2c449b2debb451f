#include "crypto/keys.h"

#include <gtest/gtest.h>

#include <new>
#include <set>
#include <type_traits>
#include <unordered_set>

namespace ginnel::crypto {
namespace {

template <class T>
concept Printable = requires(const T& t) {
  t.hex();
}
|| requires(std::ostream& out, const T& t) { out << t; };

static_assert(!std::is_copy_constructible_v<SessionSecret>);
static_assert(!std::is_copy_assignable_v<SessionSecret>);
static_assert(!Printable<SessionSecret>);
static_assert(!std::is_convertible_v<SessionSecret, IdentitySecret>);
static_assert(!std::is_constructible_v<IdentityPublic, SessionPublic>);
static_assert(std::is_trivially_copyable_v<SessionPublic>);

TEST(SecretKey, IsGoneFromMemoryAfterDestruction) {
  alignas(SymmetricKey) std::array<std::byte, sizeof(SymmetricKey)> place;
  place.fill(std::byte{0});
  auto* key = new (place.data())
      SymmetricKey(std::span<const std::byte, 32>(ByteVector(32, std::byte{0xaa})));
  ASSERT_TRUE(std::ranges::all_of(place, [](std::byte b) { return b == std::byte{0xaa}; }));
  key->~SecretKey();
  EXPECT_TRUE(std::ranges::all_of(place, [](std::byte b) { return b == std::byte{0}; }));
}

TEST(SecretKey, IsGoneFromWhereItWasMovedFrom) {
  Rng rng = Rng::from_seed(3);
  SymmetricKey from = SymmetricKey::generate(rng);
  const SymmetricKey same = from.clone();
  const SymmetricKey to = std::move(from);
  EXPECT_TRUE(from.is_zero());
  EXPECT_EQ(to, same);
  EXPECT_FALSE(to == SymmetricKey());
}

TEST(SecretKey, TakesExactly32Bytes) {
  EXPECT_FALSE(PresharedKey::from(ByteVector(31)));
  EXPECT_FALSE(PresharedKey::from(ByteVector(33)));
  EXPECT_TRUE(PresharedKey::from(ByteVector(32)));
}

TEST(PublicKey, ReadsWhatItPrints) {
  Rng rng = Rng::from_seed(4);
  const SessionPublic key(std::as_bytes(std::span<const std::uint8_t, 32>(rng.array<32>())));
  EXPECT_EQ(SessionPublic::from_hex(key.hex()), key);
  EXPECT_EQ(SessionPublic::from_base64(key.base64()), key);
  EXPECT_EQ(key.base64().size(), 44u);
  EXPECT_FALSE(SessionPublic::from_hex(key.hex() + "00"));
  EXPECT_FALSE(SessionPublic::from_base64("AAAA"));
}

TEST(PublicKey, OrdersAndHashesByValue) {
  SessionPublic low, high;
  high.writable()[0] = std::byte{1};
  EXPECT_LT(low, high);
  EXPECT_EQ((std::set<SessionPublic>{low, high, low}.size()), 2u);
  EXPECT_EQ((std::unordered_set<SessionPublic>{low, high, low}.size()), 2u);
}

}  // namespace
}  // namespace ginnel::crypto
