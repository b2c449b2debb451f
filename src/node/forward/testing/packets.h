// Inner packets for tests, and a slow, obvious segmenter to hold the fast one against.
#pragma once
#include <vector>

#include "base/address.h"
#include "base/writer.h"
#include "node/forward/vnet_header.h"

namespace ginnel::forward::testing {

struct Shape {
  bool v4 = true;
  bool tcp = true;
  Address source;
  Address destination;
  std::size_t payload = 0;
  std::size_t options = 12;  // bytes of TCP options, a multiple of 4
  std::uint8_t flags = 0x10;
  std::uint32_t sequence = 1000;
  std::uint16_t id = 7;
  bool dont_fragment = true;
  std::uint16_t source_port = 40000;
  std::uint8_t fill = 1;  // first payload byte; they count up
};

inline std::uint16_t slow_sum(ConstBytes bytes, std::uint64_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}
inline void put_u16(Bytes bytes, std::size_t at, std::size_t value) {
  Writer(bytes.subspan(at)).u16be(static_cast<std::uint16_t>(value));
}
inline std::size_t get_u16(ConstBytes bytes, std::size_t at) {
  return std::to_integer<std::size_t>(bytes[at]) << 8 | std::to_integer<std::size_t>(bytes[at + 1]);
}

// Sets all lengths and checksums of an IPv4 or IPv6 packet with TCP or UDP inside, from scratch.
inline void complete(ByteVector& packet) {
  const bool v4 = (packet[0] >> 4) == std::byte{4};
  const std::size_t ip = v4 ? 20 : 40;
  const bool tcp = packet[v4 ? 9 : 6] == std::byte{6};
  if (v4) {
    put_u16(packet, 2, packet.size());
    put_u16(packet, 10, 0);
    put_u16(packet, 10, static_cast<std::uint16_t>(~slow_sum(std::span(packet).first(20))));
  } else {
    put_u16(packet, 4, packet.size() - 40);
  }
  const std::size_t length = packet.size() - ip;
  const std::size_t field = ip + (tcp ? 16 : 6);
  if (!tcp) put_u16(packet, ip + 4, length);
  put_u16(packet, field, 0);
  const ConstBytes addresses = std::span(packet).subspan(v4 ? 12 : 8, v4 ? 8 : 32);
  std::uint64_t sum = slow_sum(addresses) + length + (tcp ? 6u : 17u);
  auto checksum = static_cast<std::uint16_t>(~slow_sum(std::span(packet).subspan(ip), sum));
  if (checksum == 0) checksum = 0xffff;
  put_u16(packet, field, checksum);
}

// A whole packet with right lengths and checksums.
inline ByteVector make_packet(const Shape& s) {
  ByteVector out(65'600);
  Writer w(out);
  if (s.v4) {
    w.u8(0x45).u8(0).u16be(0).u16be(s.id).u16be(s.dont_fragment ? 0x4000 : 0).u8(64);
    w.u8(s.tcp ? 6 : 17).u16be(0);
  } else {
    w.u32be(0x60000000).u16be(0).u8(s.tcp ? 6 : 17).u8(64);
  }
  w.put(s.source.wire()).put(s.destination.wire());
  w.u16be(s.source_port).u16be(443);
  if (s.tcp) {
    w.u32be(s.sequence).u32be(77).u8(static_cast<std::uint8_t>((20 + s.options) / 4 << 4));
    w.u8(s.flags).u16be(501).u16be(0).u16be(0);
    for (std::size_t i = 0; i < s.options; ++i) w.u8(1);
  } else {
    w.u16be(0).u16be(0);
  }
  for (std::size_t i = 0; i < s.payload; ++i) w.u8(static_cast<std::uint8_t>(s.fill + i));
  out.resize(w.size());
  complete(out);
  return out;
}

inline std::size_t headers_of(ConstBytes packet) {
  const bool v4 = (packet[0] >> 4) == std::byte{4};
  const std::size_t ip = v4 ? 20 : 40;
  const bool tcp = packet[v4 ? 9 : 6] == std::byte{6};
  return ip + (tcp ? (std::to_integer<std::size_t>(packet[ip + 12]) >> 4) * 4 : 8);
}

// What the kernel hands over: a virtio header, the packet, and in the checksum's place the sum of
// the pseudo-header. gso_size 0: one packet that only needs its checksum.
inline ByteVector as_read(ByteVector packet, std::size_t gso_size) {
  const bool v4 = (packet[0] >> 4) == std::byte{4};
  const std::size_t ip = v4 ? 20 : 40;
  const bool tcp = packet[v4 ? 9 : 6] == std::byte{6};
  const std::size_t length = packet.size() - ip;
  const ConstBytes addresses = std::span(packet).subspan(v4 ? 12 : 8, v4 ? 8 : 32);
  const std::uint64_t pseudo = slow_sum(addresses) + length + (tcp ? 6u : 17u);
  put_u16(packet, ip + (tcp ? 16 : 6), slow_sum({}, pseudo));
  VnetHeader vnet;
  vnet.flags = VnetHeader::kNeedsChecksum;
  if (gso_size > 0) {
    vnet.gso_type = !tcp ? VnetHeader::kGsoUdp : v4 ? VnetHeader::kGsoTcp4 : VnetHeader::kGsoTcp6;
  }
  vnet.header_bytes = static_cast<std::uint16_t>(headers_of(packet));
  vnet.gso_size = static_cast<std::uint16_t>(gso_size);
  vnet.csum_start = static_cast<std::uint16_t>(ip);
  vnet.csum_offset = tcp ? 16 : 6;
  ByteVector out(kVnetHeaderBytes + packet.size());
  vnet.write(out);
  std::ranges::copy(packet, out.begin() + kVnetHeaderBytes);
  return out;
}
inline ByteVector as_plain_read(ConstBytes packet) {
  ByteVector out(kVnetHeaderBytes + packet.size());
  std::ranges::copy(packet, out.begin() + kVnetHeaderBytes);
  return out;
}

// What a network card does with a super packet.
inline std::vector<ByteVector> slow_segments(ConstBytes packet, std::size_t gso_size) {
  const std::size_t headers = headers_of(packet);
  const bool v4 = (packet[0] >> 4) == std::byte{4};
  const std::size_t ip = v4 ? 20 : 40;
  const bool tcp = packet[v4 ? 9 : 6] == std::byte{6};
  std::vector<ByteVector> out;
  for (std::size_t at = headers; at < packet.size(); at += gso_size) {
    ByteVector segment = to_vector(packet.first(headers));
    const ConstBytes payload = packet.subspan(at, std::min(gso_size, packet.size() - at));
    segment.insert(segment.end(), payload.begin(), payload.end());
    if (v4) put_u16(segment, 4, get_u16(packet, 4) + out.size());
    if (tcp) {
      std::uint32_t sequence = 0;
      for (int i = 0; i < 4; ++i) {
        sequence = sequence << 8 | std::to_integer<std::uint32_t>(packet[ip + 4 + std::size_t(i)]);
      }
      Writer(std::span(segment).subspan(ip + 4))
          .u32be(sequence + static_cast<std::uint32_t>(at - headers));
      std::byte& flags = segment[ip + 13];
      if (at + gso_size < packet.size()) flags &= std::byte{0xf6};  // FIN, PSH
      if (at > headers) flags &= std::byte{0x7f};                   // CWR
    }
    complete(segment);
    out.push_back(std::move(segment));
  }
  return out;
}

}  // namespace ginnel::forward::testing
