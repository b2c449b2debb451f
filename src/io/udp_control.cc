#include "io/udp_control.h"

#include <netinet/udp.h>

#include <cstring>

#include "base/assert.h"

namespace ginnel::io {
namespace {

constexpr int kEcnMask = 3;  // RFC 3168 section 5: the low two bits of the TOS byte

// Appends ancillary items to a buffer.
class ControlWriter {
 public:
  explicit ControlWriter(Bytes room) : room_(room) {}

  template <class T>
  void put(int level, int type, const T& value) {
    GINNEL_ASSERT(used_ + CMSG_SPACE(sizeof value) <= room_.size());
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(sizeof value);
    header.cmsg_level = level;
    header.cmsg_type = type;
    std::byte* at = room_.data() + used_;
    std::memset(at, 0, CMSG_SPACE(sizeof value));
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
    used_ += CMSG_SPACE(sizeof value);
  }
  std::size_t used() const { return used_; }

 private:
  Bytes room_;
  std::size_t used_ = 0;
};

void put_source(ControlWriter& control, const Address& source) {
  if (source.is_v4()) {
    in_pktinfo info{};
    info.ipi_spec_dst = to_in_addr(source);
    control.put(IPPROTO_IP, IP_PKTINFO, info);
  } else {
    in6_pktinfo info{};
    info.ipi6_addr = to_in6_addr(source);
    control.put(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

template <class T>
T value_of(const cmsghdr& item) {
  T value{};
  std::memcpy(&value, CMSG_DATA(&item), sizeof value);
  return value;
}

void read_item(const cmsghdr& item, Received& out) {
  const auto is = [&](int level, int type) {
    return item.cmsg_level == level && item.cmsg_type == type;
  };
  if (is(SOL_UDP, UDP_GRO)) {
    out.segment_size = static_cast<std::size_t>(value_of<int>(item));
  } else if (is(IPPROTO_IPV6, IPV6_PKTINFO)) {
    out.local = to_address(value_of<in6_pktinfo>(item).ipi6_addr);
  } else if (is(IPPROTO_IP, IP_PKTINFO)) {
    out.local = to_address(value_of<in_pktinfo>(item).ipi_addr);
  } else if (is(IPPROTO_IPV6, IPV6_TCLASS)) {
    out.ecn = static_cast<std::uint8_t>(value_of<int>(item) & kEcnMask);
  } else if (is(IPPROTO_IP, IP_TOS)) {
    out.ecn = static_cast<std::uint8_t>(value_of<std::uint8_t>(item) & kEcnMask);
  }
}

}  // namespace

std::size_t write_control(const Outgoing& message, sa_family_t family, bool segment, Bytes room) {
  // An IPv4 destination on an AF_INET6 socket takes the IPv4 items: the kernel hands such a send
  // to its IPv4 half before it reads them (net/ipv6/udp.c, udpv6_sendmsg).
  const bool v4 = family == AF_INET || message.to.address.is_v4();
  ControlWriter control(room);
  if (!message.source.is_unspecified() && message.source.is_v4() == v4) {
    put_source(control, message.source);
  }
  if (message.ttl != 0) {
    control.put(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, int{message.ttl});
  }
  if (message.ecn != 0) {
    control.put(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS,
                int{message.ecn} & kEcnMask);
  }
  if (segment && message.segment_size != 0 && message.bytes.size() > message.segment_size) {
    control.put(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(message.segment_size));
  }
  return control.used();
}

void read_control(msghdr& header, Received& out) {
  for (const cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr;
       item = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(item))) {
    read_item(*item, out);
  }
  if (out.segment_size >= out.bytes.size()) out.segment_size = 0;
}

}  // namespace ginnel::io
