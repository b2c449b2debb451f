// Which of two changes of a key is the later one, for members without a common clock.
//
//   Clock clock;
//   clock.set(now, wall);
//   const Version mine{clock.take(now), "alice"};
//   clock.witness(theirs.time);      // what we write from here on is later
//
// A hybrid logical clock (Kulkarni et al. 2014) in one number: nanoseconds since 1970, and one more
// than the latest that we know where the wall clock is behind that.
#pragma once
#include <algorithm>
#include <compare>
#include <optional>
#include <string>

#include "base/instant.h"

namespace ginnel::swim::metadata {

struct Version {
  std::uint64_t time = 0;  // 0: there is none
  std::string writer;      // of equal times the greater name wins

  // "1764542718123456789@alice", "0" for none; for people and `--if-seen`.
  std::string text() const;
  static std::optional<Version> parse(std::string_view text);
  friend auto operator<=>(const Version&, const Version&) = default;
};

class Clock {
 public:
  // Both clocks, read together. Until then the wall clock counts as the monotonic one, as in the
  // simulator.
  void set(Instant now, Wall wall) { offset_ = wall.ns - now.ns; }
  Wall wall(Instant now) const { return {now.ns + offset_}; }
  std::uint64_t take(Instant now);
  void witness(std::uint64_t time) { last_ = std::max(last_, time); }
  bool is_ahead(Instant now, std::uint64_t time) const;  // by more than kSkewMax
  bool is_older(Instant now, std::uint64_t time, Nanoseconds age) const;

 private:
  std::int64_t offset_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace ginnel::swim::metadata
