// What a router says about a packet that it cannot carry (RFC 792, RFC 1191, RFC 4443), written for
// the TUN device: virtio header, IP, ICMP, and as much of the packet as belongs there.
//
//   IcmpAnswers icmp;
//   const ConstBytes answer = icmp.too_big(now, packet, ip, mtu);   // empty: say nothing
//
// The packet's destination speaks: a host refuses what comes in from one of its own addresses
// (Linux: a martian source), and we have no other.
//
// Answers live until the next call. Not thread-safe; never allocates.
#pragma once
#include "base/instant.h"
#include "node/forward/ip_packet.h"
#include "node/forward/vnet_header.h"

namespace ginnel::forward {

// RFC 4443 section 2.4 (f): the rate of answers is limited.
inline constexpr std::uint64_t kIcmpPerSecond = 1000;
inline constexpr std::uint64_t kIcmpBurst = 50;

// Not to an error, nor about a packet that has no single sender and receiver (RFC 1122 section
// 3.2.2, RFC 4443 section 2.4 (e)).
bool may_be_answered(ConstBytes packet, const IpPacket& ip);

class IcmpAnswers {
 public:
  // Empty: it may not be answered, or the rate is reached.
  ConstBytes unreachable(Instant now, ConstBytes packet, const IpPacket& ip);
  // `mtu_bytes`: for IPv6 at least 1280.
  ConstBytes too_big(Instant now, ConstBytes packet, const IpPacket& ip, std::size_t mtu_bytes);

 private:
  // RFC 4443 section 2.4 (c): an answer never exceeds the least MTU of IPv6.
  static constexpr std::size_t kAnswerBytesMax = 1280;
  struct What {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t rest = 0;  // the second word of the ICMP header
  };
  bool take(Instant now);
  ConstBytes answer4(const What& what, ConstBytes packet, const IpPacket& ip);
  ConstBytes answer6(const What& what, ConstBytes packet, const IpPacket& ip);

  std::array<std::byte, kVnetHeaderBytes + kAnswerBytesMax> buffer_{};
  std::uint64_t allowed_ = kIcmpBurst;
  Instant earned_until_;
};

}  // namespace ginnel::forward
