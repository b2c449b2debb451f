#include "io/clock.h"

#include <ctime>

namespace ginnel::io {
namespace {

std::int64_t read(clockid_t clock) {
  constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
  timespec t{};
  ::clock_gettime(clock, &t);  // fails only for a clock that does not exist
  return t.tv_sec * kNanosecondsPerSecond + t.tv_nsec;
}

}  // namespace

Instant now() { return {read(CLOCK_BOOTTIME)}; }
Nanoseconds slept() { return Nanoseconds{read(CLOCK_BOOTTIME) - read(CLOCK_MONOTONIC)}; }
Wall wall() { return {read(CLOCK_REALTIME)}; }

}  // namespace ginnel::io
