// Building and reading rtnetlink messages (RFC 3549; rtnetlink(7), netlink(7)).
//
//   NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifaddrmsg{...});
//   request.attribute(IFA_LOCAL, address.wire());
//
//   for_each_attribute(rest, [&](unsigned type, ConstBytes value) { ... });
//
// Everything is in the machine's byte order. The readers are total: a length that does not fit ends
// the walk.
#pragma once
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <optional>

#include "base/bytes.h"

namespace ginnel::io {

class NetlinkRequest {
 public:
  template <class Header>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Header& header) {
    nlmsghdr message{};
    message.nlmsg_type = type;
    message.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    append(std::as_bytes(std::span(&message, 1)));
    append(std::as_bytes(std::span(&header, 1)));
  }
  NetlinkRequest& attribute(std::uint16_t type, ConstBytes value);
  NetlinkRequest& attribute_u8(std::uint16_t type, std::uint8_t value);
  NetlinkRequest& attribute_u32(std::uint16_t type, std::uint32_t value);
  // Attributes until end_nest() are inside this one.
  NetlinkRequest& begin_nest(std::uint16_t type);
  NetlinkRequest& end_nest();
  // Fills in length and sequence number.
  ConstBytes finish(std::uint32_t sequence);

 private:
  void append(ConstBytes bytes);  // padded to four

  ByteVector bytes_;
  std::vector<std::size_t> nests_;  // where each open one begins
};

// A header at the front of `bytes`, copied out: netlink aligns to four, some fields want eight.
template <class Header>
std::optional<Header> front_as(ConstBytes bytes) {
  if (bytes.size() < sizeof(Header)) return std::nullopt;
  Header out;
  std::memcpy(&out, bytes.data(), sizeof out);
  return out;
}

constexpr std::size_t netlink_aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Calls visit(header, payload) for each message of a datagram.
template <class Visit>
void for_each_message(ConstBytes datagram, Visit&& visit) {
  while (const auto header = front_as<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof *header || header->nlmsg_len > datagram.size()) return;
    visit(*header, datagram.first(header->nlmsg_len).subspan(sizeof *header));
    datagram = datagram.subspan(std::min(netlink_aligned(header->nlmsg_len), datagram.size()));
  }
}

// Calls visit(type, value) for each attribute. The nest and byte-order flags are cut from the type.
template <class Visit>
void for_each_attribute(ConstBytes attributes, Visit&& visit) {
  while (const auto header = front_as<rtattr>(attributes)) {
    if (header->rta_len < sizeof *header || header->rta_len > attributes.size()) return;
    visit(header->rta_type & NLA_TYPE_MASK,
          attributes.first(header->rta_len).subspan(sizeof *header));
    attributes = attributes.subspan(std::min(netlink_aligned(header->rta_len), attributes.size()));
  }
}

}  // namespace ginnel::io
