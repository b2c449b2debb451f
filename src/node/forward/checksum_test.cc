#include "node/forward/checksum.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "node/forward/testing/packets.h"

namespace ginnel::forward {
namespace {

std::uint16_t host_order(RawChecksum raw) {
  std::array<std::byte, 2> bytes;
  std::memcpy(bytes.data(), &raw, sizeof raw);
  return static_cast<std::uint16_t>(testing::get_u16(bytes, 0));
}

std::uint16_t sum_of(ConstBytes bytes) {
  ChecksumSum sum;
  sum.add(bytes);
  return host_order(sum.sum());
}

// RFC 1071 section 3.
TEST(Checksum, SumsTheExampleOfTheRfc) {
  EXPECT_EQ(sum_of(*from_hex("0001f203f4f5f6f7")), 0xddf2);
}

TEST(Checksum, EqualsTheSlowSumForEverySizeAndAlignment) {
  Rng rng = Rng::from_seed(3);
  ByteVector bytes(300);
  for (int round = 0; round < 20; ++round) {
    rng.fill(bytes);
    for (std::size_t offset = 0; offset < 9; ++offset) {
      for (std::size_t size = 0; size + offset <= bytes.size(); ++size) {
        const ConstBytes part = ConstBytes(bytes).subspan(offset, size);
        ASSERT_EQ(sum_of(part), testing::slow_sum(part)) << offset << " + " << size;
      }
    }
  }
}

TEST(Checksum, CarriesOfAllOnesAreNotLost) {
  const ByteVector bytes(65'535, std::byte{0xff});
  EXPECT_EQ(sum_of(bytes), testing::slow_sum(bytes));
}

TEST(Checksum, PartsOfEvenSizeSumLikeTheWhole) {
  Rng rng = Rng::from_seed(4);
  ByteVector bytes(1501);
  rng.fill(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 2) {
    ChecksumSum sum;
    sum.add(ConstBytes(bytes).first(cut));
    sum.add(ConstBytes(bytes).subspan(cut));
    ASSERT_EQ(host_order(sum.sum()), testing::slow_sum(bytes));
  }
}

// RFC 1624 section 3: HC' = ~(~HC + ~m + m').
TEST(Checksum, AnIncrementalUpdateEqualsANewSum) {
  Rng rng = Rng::from_seed(5);
  ByteVector bytes(40);
  for (int round = 0; round < 1000; ++round) {
    rng.fill(bytes);
    const std::uint16_t before = static_cast<std::uint16_t>(testing::get_u16(bytes, 10));
    const auto after = static_cast<std::uint16_t>(rng.u32());
    ChecksumSum sum;
    sum.add(bytes);
    sum.subtract_word(before);
    sum.add_word(after);
    testing::put_u16(bytes, 10, after);
    // 0 and 0xffff are the same number.
    ASSERT_EQ(host_order(sum.sum()) % 0xffff, testing::slow_sum(bytes) % 0xffff);
  }
}

TEST(Checksum, ThePseudoHeaderHasAllOfItsLength) {
  const ByteVector addresses(32, std::byte{1});
  std::uint64_t slow = testing::slow_sum(addresses);
  slow += 6 + 1 + 0x2345;
  EXPECT_EQ(host_order(pseudo_header(addresses, 6, 0x12345).sum()), testing::slow_sum({}, slow));
}

}  // namespace
}  // namespace ginnel::forward
