#include "proto/wg/timestamp.h"

#include <gtest/gtest.h>

#include "proto/wg/testing/vectors.h"

namespace ginnel::wg {
namespace {

TEST(Timestamp, IsTai64nWithTenLeapSecondsAndWhitenedNanoseconds) {
  // 0x6553f10a - 10 s, and one step of 2^24 ns.
  const Wall wall{(0x6553f10aLL - 10) * 1'000'000'000 + 0x01abcdef};
  EXPECT_EQ(to_hex(bytes_of(Timestamp::of(wall).bytes)), "400000006553f10a01000000");
}

TEST(Timestamp, SuccessorCarriesIntoTheSeconds) {
  const Timestamp last = *[] {
    std::optional<Timestamp> t(std::in_place);
    const auto bytes = *from_hex("400000006553f10a3b9ac9ff");  // 999 999 999 ns
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(t->bytes)).begin());
    return t;
  }();
  EXPECT_EQ(to_hex(bytes_of(last.successor().bytes)), "400000006553f10b00000000");
  EXPECT_GT(last.successor(), last);
}

TEST(TimestampSource, RisesWhenTheClockStandsOrIsSetBack) {
  TimestampSource source;
  Timestamp last = source.next({1'700'000'000'000'000'000});
  for (const std::int64_t ns : {1'700'000'000'000'000'000, 1'700'000'000'000'000'001,
                                1'600'000'000'000'000'000, 0L, -5L, 1'700'000'001'000'000'000}) {
    const Timestamp next = source.next({ns});
    EXPECT_GT(next, last) << ns;
    last = next;
  }
}

TEST(TimestampSource, GoesOnFromTheStampOfAnEarlierRun) {
  const Timestamp saved = Timestamp::of({1'800'000'000'000'000'000});
  TimestampSource source(saved);
  EXPECT_GT(source.next({1'700'000'000'000'000'000}), saved);
  EXPECT_EQ(source.last(), saved.successor());
}

}  // namespace
}  // namespace ginnel::wg
