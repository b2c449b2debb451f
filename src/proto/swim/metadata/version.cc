#include "proto/swim/metadata/version.h"

#include <algorithm>
#include <charconv>

#include "proto/swim/limits.h"
#include "proto/swim/metadata/limits.h"

namespace ginnel::swim::metadata {
namespace {

std::uint64_t unsigned_of(Wall wall) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(wall.ns, 1));
}

}  // namespace

std::string Version::text() const {
  return time == 0 ? "0" : std::to_string(time) + "@" + writer;
}

std::optional<Version> Version::parse(std::string_view text) {
  if (text == "0") return Version{};
  Version out;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, out.time);
  if (read.ec != std::errc() || read.ptr == end || *read.ptr != '@' || out.time == 0) {
    return std::nullopt;
  }
  out.writer.assign(read.ptr + 1, end);
  if (out.writer.empty() || out.writer.size() > kNameBytesMax) return std::nullopt;
  return out;
}

std::uint64_t Clock::take(Instant now) {
  last_ = std::max(unsigned_of(wall(now)), last_ + 1);
  return last_;
}

bool Clock::is_ahead(Instant now, std::uint64_t time) const {
  return time > unsigned_of(wall(now) + kSkewMax);
}

bool Clock::is_older(Instant now, std::uint64_t time, Nanoseconds age) const {
  return time + static_cast<std::uint64_t>(age.count()) < unsigned_of(wall(now));
}

}  // namespace ginnel::swim::metadata
