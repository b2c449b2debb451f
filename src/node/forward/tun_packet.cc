// Segmentation as the kernel does it (linux net/ipv4/tcp_offload.c tcp_gso_segment, udp_offload.c
// __udp_gso_segment): each segment is the headers with its own lengths, numbers and checksums, and
// a piece of the payload.
#include "node/forward/tun_packet.h"

#include <algorithm>

#include "base/assert.h"
#include "node/forward/checksum.h"

namespace ginnel::forward {

Result<TunPacket, Drop> TunPacket::parse(ConstBytes read) {
  if (read.size() < kVnetHeaderBytes) return Fail(Drop::kNotIp);
  const VnetHeader vnet = VnetHeader::parse(read);
  const auto ip = IpPacket::parse(read.subspan(kVnetHeaderBytes));
  if (!ip) return Fail(ip.error());
  TunPacket out;
  out.ip_ = *ip;
  out.bytes_ = read.subspan(kVnetHeaderBytes, ip->size);
  if (const auto done = out.parse_checksum(vnet); !done) return Fail(done.error());
  if (const auto done = out.parse_offload(vnet); !done) return Fail(done.error());
  return out;
}

Result<void, Drop> TunPacket::parse_checksum(const VnetHeader& vnet) {
  needs_checksum_ = (vnet.flags & VnetHeader::kNeedsChecksum) != 0;
  if (!needs_checksum_) return {};
  transport_ = vnet.csum_start;
  checksum_offset_ = vnet.csum_offset;
  const bool fits = transport_ >= ip_.header_bytes &&
                    transport_ + checksum_offset_ + sizeof(RawChecksum) <= bytes_.size();
  if (!fits) return Fail(Drop::kBadOffload);
  return {};
}

// virtio 1.2 section 5.1.6.2: a super packet always needs its checksums, so csum_start says where
// the transport header is, behind whatever extension headers.
Result<void, Drop> TunPacket::parse_offload(const VnetHeader& vnet) {
  const std::uint8_t type = vnet.gso_type & static_cast<std::uint8_t>(~VnetHeader::kGsoEcn);
  if (type == VnetHeader::kGsoNone) return {};
  const bool tcp = type == (ip_.is_v4 ? VnetHeader::kGsoTcp4 : VnetHeader::kGsoTcp6);
  if (!tcp && type != VnetHeader::kGsoUdp) return Fail(Drop::kBadOffload);
  if (!needs_checksum_ || vnet.gso_size == 0 || ip_.is_fragment) return Fail(Drop::kBadOffload);
  if (ip_.is_v4 && transport_ != ip_.header_bytes) return Fail(Drop::kBadOffload);
  if (checksum_offset_ != (tcp ? kTcpChecksumOffset : kUdpChecksumOffset)) {
    return Fail(Drop::kBadOffload);
  }
  const ConstBytes transport = bytes_.subspan(transport_);
  const std::size_t header = tcp ? tcp_header_bytes(transport) : kUdpHeaderBytes;
  if (header == 0 || transport.size() <= header) return Fail(Drop::kBadOffload);
  kind_ = tcp ? Kind::kTcp : Kind::kUdp;
  headers_ = transport_ + header;
  gso_size_ = vnet.gso_size;
  segments_ = (bytes_.size() - headers_ + gso_size_ - 1) / gso_size_;
  return {};
}

std::size_t TunPacket::segment_bytes(std::size_t i) const {
  if (kind_ == Kind::kPlain) return bytes_.size();
  const std::size_t before = i * gso_size_;
  return headers_ + std::min(gso_size_, bytes_.size() - headers_ - before);
}

std::size_t TunPacket::write_segment(std::size_t i, Bytes out) const {
  GINNEL_ASSERT(i < segments_);
  const std::size_t size = segment_bytes(i);
  const Bytes segment = out.first(size);
  if (kind_ == Kind::kPlain) {
    copy_bytes(bytes_, segment);
  } else {
    const std::size_t payload = size - headers_;
    copy_bytes(bytes_.first(headers_), segment);
    copy_bytes(bytes_.subspan(headers_ + i * gso_size_, payload), segment.subspan(headers_));
    patch_ip(i, segment);
    const Bytes transport = segment.subspan(transport_);
    if (kind_ == Kind::kTcp) patch_tcp(i, transport);
    if (kind_ == Kind::kUdp) store_u16be(transport, kUdpLengthOffset, transport.size());
  }
  if (needs_checksum_) complete_checksum(segment.subspan(transport_));
  return size;
}

void TunPacket::patch_ip(std::size_t i, Bytes segment) const {
  if (!ip_.is_v4) {
    store_u16be(segment, kIpv6LengthOffset, segment.size() - kIpv6HeaderBytes);
    return;
  }
  store_u16be(segment, kIpv4LengthOffset, segment.size());
  // RFC 791: fragments are told apart by the identification, so each datagram has its own.
  store_u16be(segment, kIpv4IdOffset, u16be_at(bytes_, kIpv4IdOffset) + i);
  store_checksum(segment, kIpv4ChecksumOffset, 0);
  ChecksumSum sum;
  sum.add(segment.first(ip_.header_bytes));
  store_checksum(segment, kIpv4ChecksumOffset, sum.complement());
}

void TunPacket::patch_tcp(std::size_t i, Bytes transport) const {
  const auto moved = static_cast<std::uint32_t>(i * gso_size_);
  store_u32be(transport, kTcpSequenceOffset, u32be_at(transport, kTcpSequenceOffset) + moved);
  auto flags = std::to_integer<unsigned>(transport[kTcpFlagsOffset]);
  // PSH and FIN belong to the last byte; CWR to the first segment (RFC 3168 section 6.1.2).
  if (i + 1 < segments_) flags &= ~unsigned{kTcpFin | kTcpPush};
  if (i > 0) flags &= ~unsigned{kTcpCwr};
  transport[kTcpFlagsOffset] = static_cast<std::byte>(flags);
}

// The field holds the sum of the pseudo-header, with the length of the whole packet: it is what
// differs for a segment. Going on from there rather than from the addresses is right behind routing
// headers too, whose last address counts (RFC 8200 section 8.1).
void TunPacket::complete_checksum(Bytes transport) const {
  ChecksumSum sum;
  sum.add(transport);
  const std::size_t whole = bytes_.size() - transport_;
  if (transport.size() != whole) {
    sum.subtract_word(static_cast<std::uint16_t>(whole));
    sum.add_word(static_cast<std::uint16_t>(transport.size()));
  }
  RawChecksum checksum = sum.complement();
  // RFC 768: a computed zero is sent as all ones. No harm elsewhere, where both mean the same.
  if (checksum == 0) checksum = 0xffff;
  store_checksum(transport, checksum_offset_, checksum);
}

}  // namespace ginnel::forward
