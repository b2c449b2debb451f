#include "crypto/siphash.h"

#include <gtest/gtest.h>

#include "base/writer.h"

namespace ginnel::crypto {
namespace {

SipKey counting_key() {
  SipKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  return key;
}

// The reference implementation's vectors (`openssl mac -macopt size:8 SIPHASH` gives the same), as
// it prints them: little-endian.
TEST(SipHash, GivesTheReferenceVectors) {
  struct Vector {
    std::size_t size;
    const char* tag;
  };
  for (const Vector& v : std::initializer_list<Vector>{{0, "310e0edd47db6f72"},
                                                       {1, "fd67dc93c539f874"},
                                                       {7, "37d1018bf50002ab"},
                                                       {8, "6224939a79f5f593"},
                                                       {9, "b0e4a90bdf82009e"},
                                                       {15, "e545be4961ca29a1"},
                                                       {63, "724506eb4c328a95"}}) {
    ByteVector message(v.size);
    for (std::size_t i = 0; i < v.size; ++i) message[i] = static_cast<std::byte>(i);
    std::array<std::byte, 8> tag;
    Writer(tag).u64le(siphash(counting_key(), message));
    EXPECT_EQ(to_hex(tag), v.tag) << v.size;
  }
}

TEST(SipHash, DependsOnEachByteOfTheKeyAndOnTheLength) {
  const ByteVector zeros(9);
  for (std::size_t i = 0; i < kSipKeyBytes; ++i) {
    SipKey other = counting_key();
    other[i] ^= 1;
    EXPECT_NE(siphash(other, zeros), siphash(counting_key(), zeros)) << i;
  }
  EXPECT_NE(siphash(counting_key(), zeros), siphash(counting_key(), ConstBytes(zeros).first(8)));
}

}  // namespace
}  // namespace ginnel::crypto
