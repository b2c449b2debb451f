// CRC-32 (IEEE 802.3, as zlib computes it) over a packet: memberlist's hasCrc frame.
#pragma once
#include "base/bytes.h"

namespace ginnel::swim {

std::uint32_t crc32(ConstBytes bytes);

}  // namespace ginnel::swim
