// The ancillary data beside each datagram (cmsg(3)): source address, TTL, ECN, segment size.
//
// Never allocates.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "base/bytes.h"
#include "io/udp_batch.h"

namespace ginnel::io {

// Fills `room` for sending `message` on a socket of `family`; returns the bytes used. The room is
// aligned for cmsghdr and holds all four.
std::size_t write_control(const Outgoing& message, sa_family_t family, bool segment, Bytes room);
// Reads what the kernel said about a received datagram into local, segment_size and ecn.
void read_control(msghdr& header, Received& out);

}  // namespace ginnel::io
