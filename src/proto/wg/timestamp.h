// The timestamp of an initiation: TAI64N, 12 bytes that receivers only compare (the WireGuard
// paper, section 5.1). It proves that an initiation is newer than every one accepted before.
//
//   TimestampSource source(saved);            // the last one this key ever sent, if it is known
//   const Timestamp stamp = source.next(wall);
#pragma once
#include <array>
#include <compare>
#include <cstdint>

#include "base/instant.h"

namespace ginnel::wg {

inline constexpr std::size_t kTimestampBytes = 12;

// Big-endian u64 of 2^62 + 10 + seconds since 1970, then big-endian u32 nanoseconds, so that byte
// order is time order. All zero: before every real one.
struct Timestamp {
  std::array<std::uint8_t, kTimestampBytes> bytes{};

  static Timestamp of(Wall wall);
  // The next greater one that is a valid TAI64N.
  Timestamp successor() const;

  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// Hands out stamps that only rise, even when the wall clock is set back.
class TimestampSource {
 public:
  explicit TimestampSource(const Timestamp& last_sent = {}) : last_(last_sent) {}

  Timestamp next(Wall wall);
  // The owner may save this and give it to the next run, whose clock may be behind.
  const Timestamp& last() const { return last_; }

 private:
  Timestamp last_;
};

}  // namespace ginnel::wg
