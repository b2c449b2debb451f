// What the kernel says of another program's UDP socket, and of its memory.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace ginnel::hostile {

struct SocketState {
  std::uint64_t queued_bytes = 0;  // received and not read
  std::uint64_t dropped = 0;       // datagrams, for want of room
};
// Of the socket bound to this port; nullopt: there is none. Costs a read of /proc/net/udp.
std::optional<SocketState> socket_state(std::uint16_t port);

// VmRSS; 0: there is no such process.
std::uint64_t resident_bytes(pid_t process);

}  // namespace ginnel::hostile
