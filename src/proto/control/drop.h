// Why bytes from inside a session were refused: one counter each. Nothing changes when one is
// returned; a frame is skipped, a stream (lane) cannot go on.
#pragma once
#include <cstdint>

namespace ginnel::control {

enum class Drop : std::uint8_t {
  kTooShort,    // ends within a field
  kTrailing,    // bytes follow the last field
  kBadType,     // no frame has this type (0x40 and up)
  kBadVersion,  // a version of the format that we do not speak
  kBadField,    // a value, or an encoding of it, that the format does not allow
  kTooMany,     // a list longer than its limit
  kTooLong,     // a text, message or packet longer than its limit
  kCount,
};

}  // namespace ginnel::control
