#include "proto/wg/timestamp.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::wg {
namespace {

constexpr std::uint64_t kTai64Epoch = 0x400000000000000a;  // 2^62 + 10 s between TAI and 1970
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
// wireguard-go tai64n.go: the low 24 bits of the nanoseconds are cleared, so that a stamp tells
// nothing finer than 16.8 ms about our clock.
constexpr std::uint32_t kWhitener = 0xffffff;

Timestamp make(std::uint64_t seconds, std::uint32_t nanoseconds) {
  Timestamp out;
  Writer(std::as_writable_bytes(std::span(out.bytes))).u64be(seconds).u32be(nanoseconds);
  return out;
}

}  // namespace

Timestamp Timestamp::of(Wall wall) {
  const std::int64_t ns = std::max<std::int64_t>(wall.ns, 0);
  return make(kTai64Epoch + static_cast<std::uint64_t>(ns / kNanosecondsPerSecond),
              static_cast<std::uint32_t>(ns % kNanosecondsPerSecond) & ~kWhitener);
}

Timestamp Timestamp::successor() const {
  Reader reader(bytes_of(bytes));
  const std::uint64_t seconds = reader.u64be();
  const std::uint32_t nanoseconds = reader.u32be();
  if (nanoseconds + 1 < kNanosecondsPerSecond) return make(seconds, nanoseconds + 1);
  return make(seconds + 1, 0);
}

Timestamp TimestampSource::next(Wall wall) {
  last_ = std::max(Timestamp::of(wall), last_.successor());
  return last_;
}

}  // namespace ginnel::wg
