// The FINGERPRINT attribute's value: CRC-32 of the message before it, XOR 0x5354554e
// (RFC 8489 section 14.7).
#pragma once
#include "base/bytes.h"

namespace ginnel::stun {

std::uint32_t fingerprint_of(ConstBytes message);

}  // namespace ginnel::stun
