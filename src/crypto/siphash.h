// SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed tag that costs tens of nanoseconds, against
// spoofed packets and chosen hash-table keys. Not a MAC for anything that must stay secret long.
// Never allocates.
#pragma once
#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace ginnel::crypto {

inline constexpr std::size_t kSipKeyBytes = 16;
using SipKey = std::array<std::uint8_t, kSipKeyBytes>;

std::uint64_t siphash(const SipKey& key, ConstBytes message);

}  // namespace ginnel::crypto
