#include "node/forward/ip_packet.h"

namespace ginnel::forward {
namespace {

constexpr std::size_t kIpv4ProtocolOffset = 9;
constexpr std::size_t kIpv6NextHeaderOffset = 6;

Result<IpPacket, Drop> parse_v4(ConstBytes bytes) {
  if (bytes.size() < kIpv4HeaderBytes) return Fail(Drop::kNotIp);
  IpPacket out;
  out.is_v4 = true;
  out.header_bytes = (std::to_integer<std::size_t>(bytes[0]) & 0xf) * 4;
  out.size = u16be_at(bytes, kIpv4LengthOffset);
  if (out.header_bytes < kIpv4HeaderBytes) return Fail(Drop::kNotIp);
  if (out.size < out.header_bytes || out.size > bytes.size()) return Fail(Drop::kBadLength);
  out.protocol = std::to_integer<std::uint8_t>(bytes[kIpv4ProtocolOffset]);
  const std::uint16_t fragment = u16be_at(bytes, kIpv4FragmentOffset);
  out.dont_fragment = (fragment & kIpv4DontFragment) != 0;
  out.is_fragment = (fragment & kIpv4FragmentMask) != 0;
  out.source = Address::v4(u32be_at(bytes, kIpv4AddressesOffset));
  out.destination = Address::v4(u32be_at(bytes, kIpv4AddressesOffset + 4));
  return out;
}

Address address_at(ConstBytes bytes, std::size_t offset) {
  Address out;
  const Bytes to = std::as_writable_bytes(std::span(out.bytes));
  std::ranges::copy(bytes.subspan(offset, to.size()), to.begin());
  return out;
}

Result<IpPacket, Drop> parse_v6(ConstBytes bytes) {
  if (bytes.size() < kIpv6HeaderBytes) return Fail(Drop::kNotIp);
  IpPacket out;
  out.header_bytes = kIpv6HeaderBytes;
  out.size = kIpv6HeaderBytes + u16be_at(bytes, kIpv6LengthOffset);
  if (out.size > bytes.size()) return Fail(Drop::kBadLength);
  out.protocol = std::to_integer<std::uint8_t>(bytes[kIpv6NextHeaderOffset]);
  out.dont_fragment = true;
  out.source = address_at(bytes, kIpv6AddressesOffset);
  out.destination = address_at(bytes, kIpv6AddressesOffset + 16);
  return out;
}

}  // namespace

Result<IpPacket, Drop> IpPacket::parse(ConstBytes bytes) {
  if (bytes.empty()) return Fail(Drop::kNotIp);
  const unsigned version = std::to_integer<unsigned>(bytes[0]) >> 4;
  if (version == 4) return parse_v4(bytes);
  if (version == 6) return parse_v6(bytes);
  return Fail(Drop::kNotIp);
}

std::size_t tcp_header_bytes(ConstBytes bytes) {
  constexpr std::size_t kDataOffset = 12;
  if (bytes.size() < kTcpHeaderBytes) return 0;
  const std::size_t size = (std::to_integer<std::size_t>(bytes[kDataOffset]) >> 4) * 4;
  return size < kTcpHeaderBytes || size > bytes.size() ? 0 : size;
}

}  // namespace ginnel::forward
