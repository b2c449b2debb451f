// Why a packet ended before its target: one counter each (Fabric::dropped).
#pragma once
#include <cstdint>
#include <string_view>

namespace ginnel::sim {

enum class DropReason : std::uint8_t {
  kLoss,            // the link's loss, uniform or in a burst
  kQueueFull,       // the link's rate could not carry it
  kLinkDown,        // a partition, a cut or a link that is down
  kTooBig,          // larger than a link's MTU (DF is always set)
  kTtlExpired,      // a router counted it down to zero
  kNoRoute,         // nobody has the target address
  kBadSource,       // the machine does not have the address that it sends from
  kNatNoMapping,    // nothing inside has opened this port
  kNatFiltered,     // a mapping, but not for this remote
  kNatBlocked,      // this box lets no UDP through
  kNatNoHairpin,    // to the box's own outside address, and it does not turn packets round
  kNatFull,         // no port or row is free
  kNatLocal,        // unsolicited, and accepted by the box itself: the Linux trap
  kNoSocket,        // the machine has no socket on this port
  kMachineDown,     // crashed, or not started
  kTooManyPackets,  // PacketPool::kPacketsMax are under way
  kCount,
};

std::string_view drop_name(DropReason reason);

}  // namespace ginnel::sim
