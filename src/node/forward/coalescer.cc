#include "node/forward/coalescer.h"

#include "base/assert.h"
#include "node/forward/checksum.h"

namespace ginnel::forward {
namespace {

constexpr std::size_t kIpBytesMax = 65'535;
constexpr std::size_t kTcpAckOffset = 8;
constexpr std::size_t kTcpUrgentOffset = 18;

bool equal_at(ConstBytes a, ConstBytes b, std::size_t offset, std::size_t size) {
  return equal(a.subspan(offset, size), b.subspan(offset, size));
}

bool checksum_is_right(ConstBytes packet, const IpPacket& ip) {
  const ConstBytes transport = packet.subspan(ip.header_bytes);
  ChecksumSum sum = pseudo_header(packet.subspan(ip.addresses_offset(), ip.addresses_bytes()),
                                  ip.protocol, transport.size());
  sum.add(transport);
  return sum.complement() == 0;
}

// Of the headers that the kernel rewrites for each segment only what it does not rewrite must be
// equal: not length, identification and checksum.
bool same_ip(ConstBytes a, ConstBytes b, const IpPacket& ip) {
  if (!ip.is_v4) {
    return equal_at(a, b, 0, kIpv6LengthOffset) &&
           equal_at(a, b, kIpv6LengthOffset + 2, kIpv6HeaderBytes - kIpv6LengthOffset - 2);
  }
  return equal_at(a, b, 0, kIpv4LengthOffset) &&
         equal_at(a, b, kIpv4FragmentOffset, kIpv4ChecksumOffset - kIpv4FragmentOffset) &&
         equal_at(a, b, kIpv4AddressesOffset, ip.header_bytes - kIpv4AddressesOffset);
}

// Acknowledgement, data offset, flags but PSH, window, urgent pointer, options.
bool same_tcp(ConstBytes a, ConstBytes b) {
  const unsigned flags = std::to_integer<unsigned>(a[kTcpFlagsOffset] ^ b[kTcpFlagsOffset]);
  return equal_at(a, b, 0, kTcpSequenceOffset) &&
         equal_at(a, b, kTcpAckOffset, kTcpFlagsOffset - kTcpAckOffset) &&
         (flags & ~unsigned{kTcpPush}) == 0 &&
         equal_at(a, b, kTcpFlagsOffset + 1, kTcpChecksumOffset - kTcpFlagsOffset - 1) &&
         equal_at(a, b, kTcpUrgentOffset, a.size() - kTcpUrgentOffset);
}

}  // namespace

Coalescer::Coalescer(Options options) : options_(options) {
  packets_.reserve(kPacketsMax);
  writes_.reserve(kPacketsMax);
  open_.fill(kNone);
}

void Coalescer::clear() {
  packets_.clear();
  writes_.clear();
  open_.fill(kNone);
}

bool Coalescer::may_join_at_all(const IpPacket& ip) const {
  if (ip.is_fragment || ip.header_bytes != (ip.is_v4 ? kIpv4HeaderBytes : kIpv6HeaderBytes)) {
    return false;
  }
  return (ip.protocol == kProtocolTcp && options_.tcp) ||
         (ip.protocol == kProtocolUdp && options_.udp);
}

std::optional<Coalescer::Piece> Coalescer::examine(ConstBytes packet, const IpPacket& ip) {
  const ConstBytes transport = packet.subspan(ip.header_bytes);
  Piece out;
  if (ip.protocol == kProtocolTcp) {
    const std::size_t header = tcp_header_bytes(transport);
    if (header == 0) return std::nullopt;
    const auto flags = std::to_integer<unsigned>(transport[kTcpFlagsOffset]);
    if ((flags & ~unsigned{kTcpPush}) != kTcpAck) return std::nullopt;
    out.headers = ip.header_bytes + header;
    out.sequence = u32be_at(transport, kTcpSequenceOffset);
    out.ends = (flags & kTcpPush) != 0;
  } else {
    if (transport.size() < kUdpHeaderBytes) return std::nullopt;
    const bool has_checksum = u16be_at(transport, kUdpChecksumOffset) != 0;
    if (!has_checksum || u16be_at(transport, kUdpLengthOffset) != transport.size()) {
      return std::nullopt;
    }
    out.headers = ip.header_bytes + kUdpHeaderBytes;
  }
  out.payload = packet.size() - out.headers;
  if (out.payload == 0 || !checksum_is_right(packet, ip)) return std::nullopt;
  return out;
}

// Ports and the ends of the addresses tell flows apart; a collision only costs joining.
std::uint32_t& Coalescer::open_write(ConstBytes packet, const IpPacket& ip) {
  std::uint32_t hash = ip.protocol;
  if (packet.size() >= ip.header_bytes + 4) hash ^= u32be_at(packet, ip.header_bytes);
  hash ^= u32be_at(packet, ip.header_bytes - 4);
  hash ^= u32be_at(packet, ip.addresses_offset() + ip.addresses_bytes() / 2 - 4);
  hash *= 0x9e3779b1;  // 2^32 over the golden ratio: the high bits depend on all others
  return open_[hash >> 26];
}

void Coalescer::add(Bytes packet, const IpPacket& ip) {
  GINNEL_ASSERT(packets_.size() < kPacketsMax);
  const bool candidate = may_join_at_all(ip);
  std::optional<Piece> piece;
  std::uint32_t* open = nullptr;
  if (candidate) {
    open = &open_write(packet, ip);
    piece = examine(packet, ip);
    if (piece && *open != kNone && join(writes_[*open], packet, ip, *piece)) return;
    // Later packets of the flow must not go before this one.
    *open = piece ? static_cast<std::uint32_t>(writes_.size()) : kNone;
  }
  const auto at = static_cast<std::uint32_t>(packets_.size());
  packets_.push_back({packet, piece ? piece->headers : packet.size(), kNone});
  Write write;
  write.first = write.last = at;
  write.ip = ip;
  write.total = packet.size();
  if (piece) {
    write.closed = piece->ends;
    write.next_sequence = static_cast<std::uint32_t>(piece->sequence + piece->payload);
    write.vnet.header_bytes = static_cast<std::uint16_t>(piece->headers);
    write.vnet.gso_size = static_cast<std::uint16_t>(piece->payload);
  }
  writes_.push_back(write);
}

bool Coalescer::same_flow(ConstBytes a, ConstBytes b, const IpPacket& ip, std::size_t headers) {
  if (!same_ip(a, b, ip)) return false;
  const ConstBytes ta = a.subspan(ip.header_bytes, headers - ip.header_bytes);
  const ConstBytes tb = b.subspan(ip.header_bytes, headers - ip.header_bytes);
  return ip.protocol == kProtocolTcp ? same_tcp(ta, tb) : equal_at(ta, tb, 0, kUdpLengthOffset);
}

bool Coalescer::join(Write& write, Bytes packet, const IpPacket& ip, const Piece& piece) {
  // linux/udp.h UDP_MAX_SEGMENTS; TCP ends with the parts of a write.
  constexpr std::size_t kUdpSegmentsMax = 64;
  const bool tcp = ip.protocol == kProtocolTcp;
  const bool has_room = write.count < (tcp ? kPartsMax - 1 : kUdpSegmentsMax) &&
                        write.total + piece.payload <= kIpBytesMax;
  if (write.closed || !has_room) return false;
  if (write.ip.is_v4 != ip.is_v4 || write.ip.protocol != ip.protocol) return false;
  if (write.vnet.header_bytes != piece.headers || piece.payload > write.vnet.gso_size) return false;
  if (tcp && piece.sequence != write.next_sequence) return false;
  if (!same_flow(packets_[write.first].bytes, packet, ip, piece.headers)) return false;
  const auto at = static_cast<std::uint32_t>(packets_.size());
  packets_.push_back({packet, piece.headers, kNone});
  packets_[write.last].next = at;
  write.last = at;
  ++write.count;
  write.total += piece.payload;
  write.next_sequence += static_cast<std::uint32_t>(piece.payload);
  write.closed = piece.ends || piece.payload < write.vnet.gso_size;
  if (piece.ends) {
    std::byte& flags = packets_[write.first].bytes[ip.header_bytes + kTcpFlagsOffset];
    flags |= std::byte{kTcpPush};
  }
  return true;
}

std::size_t Coalescer::finish() {
  for (Write& write : writes_) complete(write);
  return writes_.size();
}

// The first packet's headers become those of the super packet: its length, and in the checksum's
// place the sum of the pseudo-header (virtio 1.2 section 5.1.6.2).
void Coalescer::complete(Write& write) {
  if (write.count == 1) {
    write.vnet = {};
    return;
  }
  const IpPacket& ip = write.ip;
  const Bytes head = packets_[write.first].bytes;
  if (ip.is_v4) {
    store_u16be(head, kIpv4LengthOffset, write.total);
    store_checksum(head, kIpv4ChecksumOffset, 0);
    ChecksumSum sum;
    sum.add(head.first(ip.header_bytes));
    store_checksum(head, kIpv4ChecksumOffset, sum.complement());
  } else {
    store_u16be(head, kIpv6LengthOffset, write.total - kIpv6HeaderBytes);
  }
  const bool tcp = ip.protocol == kProtocolTcp;
  const std::size_t length = write.total - ip.header_bytes;
  const std::size_t field = tcp ? kTcpChecksumOffset : kUdpChecksumOffset;
  if (!tcp) store_u16be(head, ip.header_bytes + kUdpLengthOffset, length);
  const ConstBytes addresses = head.subspan(ip.addresses_offset(), ip.addresses_bytes());
  store_checksum(head, ip.header_bytes + field,
                 pseudo_header(addresses, ip.protocol, length).sum());
  write.vnet.flags = VnetHeader::kNeedsChecksum;
  write.vnet.gso_type = !tcp       ? VnetHeader::kGsoUdp
                        : ip.is_v4 ? VnetHeader::kGsoTcp4
                                   : VnetHeader::kGsoTcp6;
  write.vnet.csum_start = static_cast<std::uint16_t>(ip.header_bytes);
  write.vnet.csum_offset = static_cast<std::uint16_t>(field);
}

std::span<const ConstBytes> Coalescer::parts(std::size_t index) {
  const Write& write = writes_[index];
  write.vnet.write(vnet_);
  std::size_t used = 0;
  parts_[used++] = vnet_;
  parts_[used++] = packets_[write.first].bytes;
  for (std::uint32_t at = packets_[write.first].next; at != kNone; at = packets_[at].next) {
    parts_[used++] = packets_[at].bytes.subspan(packets_[at].headers);
  }
  return std::span(parts_).first(used);
}

}  // namespace ginnel::forward
