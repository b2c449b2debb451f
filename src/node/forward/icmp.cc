#include "node/forward/icmp.h"

#include <algorithm>

#include "base/writer.h"
#include "node/forward/checksum.h"

namespace ginnel::forward {
namespace {

constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::size_t kIcmpChecksumOffset = 2;
constexpr std::uint8_t kHopLimit = 64;

constexpr std::uint8_t kV4Unreachable = 3;
constexpr std::uint8_t kV4HostUnreachable = 1;
constexpr std::uint8_t kV4FragmentationNeeded = 4;
constexpr std::uint8_t kV6Unreachable = 1;
constexpr std::uint8_t kV6AddressUnreachable = 3;
constexpr std::uint8_t kV6TooBig = 2;
constexpr std::uint8_t kV6InformationalTypes = 128;  // RFC 4443 section 2.1: errors are below

// RFC 1122 section 3.2.2: echo, timestamp and information messages are queries.
bool is_v4_error(std::uint8_t type) {
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

std::size_t quoted(ConstBytes packet, std::size_t room) { return std::min(packet.size(), room); }

}  // namespace

bool may_be_answered(ConstBytes packet, const IpPacket& ip) {
  const auto is_one_host = [](const Address& address) {
    return !address.is_unspecified() && !address.is_multicast_or_broadcast();
  };
  if (!is_one_host(ip.source) || !is_one_host(ip.destination)) return false;
  if (ip.is_v4 && (u16be_at(packet, kIpv4FragmentOffset) & 0x1fff) != 0) return false;
  if (ip.protocol != (ip.is_v4 ? kProtocolIcmp : kProtocolIcmp6)) return true;
  if (ip.size <= ip.header_bytes) return false;
  const auto type = std::to_integer<std::uint8_t>(packet[ip.header_bytes]);
  return ip.is_v4 ? !is_v4_error(type) : type >= kV6InformationalTypes;
}

bool IcmpAnswers::take(Instant now) {
  constexpr Nanoseconds kEach = Nanoseconds(1s) / kIcmpPerSecond;
  if (now - earned_until_ >= kEach * kIcmpBurst) {
    allowed_ = kIcmpBurst;
    earned_until_ = now;
  } else if (now > earned_until_) {
    const auto earned = static_cast<std::uint64_t>((now - earned_until_) / kEach);
    allowed_ = std::min(kIcmpBurst, allowed_ + earned);
    earned_until_ = earned_until_ + kEach * earned;
  }
  if (allowed_ == 0) return false;
  --allowed_;
  return true;
}

ConstBytes IcmpAnswers::unreachable(Instant now, ConstBytes packet, const IpPacket& ip) {
  if (!may_be_answered(packet, ip) || !take(now)) return {};
  if (ip.is_v4) return answer4({kV4Unreachable, kV4HostUnreachable, 0}, packet, ip);
  return answer6({kV6Unreachable, kV6AddressUnreachable, 0}, packet, ip);
}

ConstBytes IcmpAnswers::too_big(Instant now, ConstBytes packet, const IpPacket& ip,
                                std::size_t mtu_bytes) {
  if (!may_be_answered(packet, ip) || !take(now)) return {};
  const auto mtu = static_cast<std::uint32_t>(mtu_bytes);
  // RFC 1191 section 4: the next-hop MTU is the low half of the second word; RFC 4443 section 3.2:
  // all of it.
  if (ip.is_v4) return answer4({kV4Unreachable, kV4FragmentationNeeded, mtu}, packet, ip);
  return answer6({kV6TooBig, 0, mtu}, packet, ip);
}

ConstBytes IcmpAnswers::answer4(const What& what, ConstBytes packet, const IpPacket& ip) {
  // RFC 1812 section 4.3.2.3: as much as fits, without making a datagram over 576 bytes.
  constexpr std::size_t kV4Max = 576;
  const std::size_t quote = quoted(packet, kV4Max - kIpv4HeaderBytes - kIcmpHeaderBytes);
  const std::size_t size = kIpv4HeaderBytes + kIcmpHeaderBytes + quote;
  Writer w(buffer_);
  w.zeros(kVnetHeaderBytes);
  w.u8(0x45).u8(0xc0);  // RFC 1812 section 4.3.2.5: precedence internetwork control
  w.u16be(static_cast<std::uint16_t>(size)).u16be(0).u16be(kIpv4DontFragment);
  w.u8(kHopLimit).u8(kProtocolIcmp).u16be(0);
  w.put(ip.destination.wire()).put(ip.source.wire());
  w.u8(what.type).u8(what.code).u16be(0).u32be(what.rest).put(packet.first(quote));
  const Bytes out = w.written().subspan(kVnetHeaderBytes);
  ChecksumSum header;
  header.add(out.first(kIpv4HeaderBytes));
  store_checksum(out, kIpv4ChecksumOffset, header.complement());
  ChecksumSum message;
  message.add(out.subspan(kIpv4HeaderBytes));
  store_checksum(out, kIpv4HeaderBytes + kIcmpChecksumOffset, message.complement());
  return w.written();
}

ConstBytes IcmpAnswers::answer6(const What& what, ConstBytes packet, const IpPacket& ip) {
  const std::size_t quote = quoted(packet, kAnswerBytesMax - kIpv6HeaderBytes - kIcmpHeaderBytes);
  const std::size_t length = kIcmpHeaderBytes + quote;
  Writer w(buffer_);
  w.zeros(kVnetHeaderBytes);
  w.u32be(0x60000000).u16be(static_cast<std::uint16_t>(length)).u8(kProtocolIcmp6).u8(kHopLimit);
  w.put(ip.destination.wire()).put(ip.source.wire());
  w.u8(what.type).u8(what.code).u16be(0).u32be(what.rest).put(packet.first(quote));
  const Bytes out = w.written().subspan(kVnetHeaderBytes);
  ChecksumSum sum = pseudo_header(out.subspan(kIpv6AddressesOffset, 32), kProtocolIcmp6, length);
  sum.add(out.subspan(kIpv6HeaderBytes));
  store_checksum(out, kIpv6HeaderBytes + kIcmpChecksumOffset, sum.complement());
  return w.written();
}

}  // namespace ginnel::forward
