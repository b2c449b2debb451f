#include "node/ip_packet.h"

#include "base/reader.h"

namespace ginnel::node {
namespace {

constexpr std::size_t kIpv4HeaderMin = 20;  // RFC 791 section 3.1
constexpr std::size_t kIpv6Header = 40;     // RFC 8200 section 3

}  // namespace

std::optional<IpHeader> parse_ip(ConstBytes packet) {
  if (packet.empty()) return std::nullopt;
  const unsigned version = std::to_integer<unsigned>(packet[0]) >> 4;
  IpHeader out;
  if (version == 4 && packet.size() >= kIpv4HeaderMin) {
    Reader length(packet.subspan(2));
    out.total_size = length.u16be();
    out.source = Address::from_wire(packet.subspan(12, 4));
    out.destination = Address::from_wire(packet.subspan(16, 4));
    if (out.total_size < kIpv4HeaderMin) return std::nullopt;
  } else if (version == 6 && packet.size() >= kIpv6Header) {
    Reader length(packet.subspan(4));
    out.total_size = kIpv6Header + length.u16be();
    out.source = Address::from_wire(packet.subspan(8, 16));
    out.destination = Address::from_wire(packet.subspan(24, 16));
  } else {
    return std::nullopt;
  }
  if (out.total_size > packet.size()) return std::nullopt;
  return out;
}

}  // namespace ginnel::node
