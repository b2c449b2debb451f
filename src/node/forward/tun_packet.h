// One read from a TUN device: the virtio header and a packet, possibly a super packet that stands
// for many (TSO, USO), and the segments that it stands for.
//
//   const auto packet = TunPacket::parse(read);
//   for (std::size_t i = 0; i < packet->segments(); ++i) n = packet->write_segment(i, out);
//
// Borrows the bytes; never allocates.
#pragma once
#include "node/forward/ip_packet.h"
#include "node/forward/vnet_header.h"

namespace ginnel::forward {

class TunPacket {
 public:
  // Errors: kNotIp, kBadLength, kBadOffload.
  static Result<TunPacket, Drop> parse(ConstBytes read);

  const IpPacket& ip() const { return ip_; }
  ConstBytes bytes() const { return bytes_; }
  std::size_t segments() const { return segments_; }
  // Of segment `i`, headers included. All but the last are equal.
  std::size_t segment_bytes(std::size_t i) const;
  // Writes segment `i`, with all lengths and checksums complete; returns segment_bytes(i), which
  // `out` has room for.
  std::size_t write_segment(std::size_t i, Bytes out) const;

 private:
  enum class Kind : std::uint8_t { kPlain, kTcp, kUdp };

  Result<void, Drop> parse_checksum(const VnetHeader& vnet);
  Result<void, Drop> parse_offload(const VnetHeader& vnet);
  void patch_ip(std::size_t i, Bytes segment) const;
  void patch_tcp(std::size_t i, Bytes transport) const;
  // `length`: of the transport header and payload of this segment.
  void complete_checksum(Bytes transport) const;

  IpPacket ip_;
  ConstBytes bytes_;
  Kind kind_ = Kind::kPlain;
  bool needs_checksum_ = false;
  std::size_t transport_ = 0;        // where the transport header begins
  std::size_t checksum_offset_ = 0;  // of its field, from there
  std::size_t headers_ = 0;          // IP and transport header; of super packets
  std::size_t gso_size_ = 0;         // payload bytes per segment; of super packets
  std::size_t segments_ = 1;
};

}  // namespace ginnel::forward
