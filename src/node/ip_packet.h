// The few fields of an inner IP packet that routing asks for.
#pragma once
#include <optional>

#include "base/address.h"

namespace ginnel::node {

struct IpHeader {
  Address source;
  Address destination;
  std::size_t total_size = 0;  // bytes, as the header says; what follows is padding
};
// nullopt: no IPv4 or IPv6 packet, or one whose length field exceeds the bytes that are there.
std::optional<IpHeader> parse_ip(ConstBytes packet);

}  // namespace ginnel::node
