// The header in front of each packet of a TUN device with IFF_VNET_HDR: what the kernel left to do,
// or what it may do later (virtio 1.2 section 5.1.6; linux/virtio_net.h).
//
//   0 flags u8 | 1 gso_type u8 | 2 hdr_len u16 | 4 gso_size u16 | 6 csum_start u16
//   | 8 csum_offset u16
//
// In the machine's byte order, since it never leaves the machine. Never allocates.
#pragma once
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace ginnel::forward {

inline constexpr std::size_t kVnetHeaderBytes = 10;

struct VnetHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
  static constexpr std::uint8_t kGsoNone = 0;
  static constexpr std::uint8_t kGsoTcp4 = 1;
  static constexpr std::uint8_t kGsoTcp6 = 4;
  static constexpr std::uint8_t kGsoUdp = 5;     // UDP_L4, Linux 6.2
  static constexpr std::uint8_t kGsoEcn = 0x80;  // a flag beside the TCP types: CWR is set

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kGsoNone;
  std::uint16_t header_bytes = 0;  // a hint of the kernel; ignored on input
  std::uint16_t gso_size = 0;      // payload bytes per segment
  std::uint16_t csum_start = 0;    // where the transport header begins
  std::uint16_t csum_offset = 0;   // of the checksum field, from there

  // `bytes`: at least kVnetHeaderBytes.
  static VnetHeader parse(ConstBytes bytes) {
    VnetHeader out;
    std::memcpy(&out, bytes.first(kVnetHeaderBytes).data(), sizeof out);
    return out;
  }
  void write(Bytes out) const {
    std::memcpy(out.first(kVnetHeaderBytes).data(), this, sizeof *this);
  }
};
static_assert(sizeof(VnetHeader) == kVnetHeaderBytes);

}  // namespace ginnel::forward
