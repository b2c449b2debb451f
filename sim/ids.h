// Names of the things in a world. Numbers in order of creation, so that they order events too.
#pragma once
#include <cstdint>

#include "base/strong_int.h"

namespace ginnel::sim {

using MachineId = StrongInt<struct MachineIdTag, std::uint32_t>;        // runs one Host
using ZoneId = StrongInt<struct ZoneIdTag, std::uint32_t>;              // one address realm
using AttachmentId = StrongInt<struct AttachmentIdTag, std::uint32_t>;  // an interface in a zone
using BoxId = StrongInt<struct BoxIdTag, std::uint32_t>;                // a NAT or firewall

}  // namespace ginnel::sim
