// Time as the cores see it: a monotonic Instant for every timer, a Wall only where a date is meant
// (certificates, TAI64N, hybrid clocks). Cores never read a clock: the driver passes both in.
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>

namespace ginnel {

using Nanoseconds = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// A point on the node's monotonic clock, which goes on while the machine sleeps (boot time).
// The epoch means nothing outside the process; the simulator starts at zero.
struct Instant {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Nanoseconds d) { return {t.ns + d.count()}; }
  friend constexpr Instant operator-(Instant t, Nanoseconds d) { return {t.ns - d.count()}; }
  friend constexpr Nanoseconds operator-(Instant a, Instant b) { return Nanoseconds{a.ns - b.ns}; }
};

// Nanoseconds since 1970, UTC. May jump, so no timer uses it.
struct Wall {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(Wall, Wall) = default;
  friend constexpr Wall operator+(Wall t, Nanoseconds d) { return {t.ns + d.count()}; }
  friend constexpr Nanoseconds operator-(Wall a, Wall b) { return Nanoseconds{a.ns - b.ns}; }
};

}  // namespace ginnel
