// What metadata may cost. Beyond a limit a change is refused and counted.
#pragma once
#include <cstddef>

#include "base/instant.h"

namespace ginnel::swim::metadata {

inline constexpr std::size_t kKeyBytesMax = 512;      // a key's name, without its space and owner
inline constexpr std::size_t kValueBytesMax = 1u << 20;
// Rows, deleted ones included. A new key is refused, here and when it comes from others.
inline constexpr std::size_t kRowsMax = 65'536;
// Keys, writers and values of all rows. As above, and for growing values too.
inline constexpr std::size_t kBytesMax = std::size_t{128} << 20;

// A version that is further ahead of our clock is refused: its writer's clock is wrong, and it would
// win over every later change.
inline constexpr Nanoseconds kSkewMax = std::chrono::minutes(5);
// How long "deleted" and a member's own rows are kept after they were written. A member that was
// away for longer brings back what was deleted meanwhile. Longer than dead members are dialled.
inline constexpr Nanoseconds kAgingTime = std::chrono::hours(48);
inline constexpr Nanoseconds kRenewTime = kAgingTime / 2;  // of one's own rows

// One answer in an exchange; the rest follows in further exchanges at once.
inline constexpr std::size_t kAnswerBytesMax = 8u << 20;
// One message of it, so that a large value does not hold back small ones for long.
inline constexpr std::size_t kMessageBytesMax = 2u << 20;
// Values on their way to us, asked for after an announcement. More are left to the exchange.
inline constexpr std::size_t kPullsMax = 64;
// Digests that we answer in one exchange interval; the others' senders try again.
inline constexpr std::size_t kAnswersMax = 256;
// What the application has not yet heard of; it then reads the table instead.
inline constexpr std::size_t kEventsMax = 131'072;

}  // namespace ginnel::swim::metadata
