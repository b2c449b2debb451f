// The kernel's words for links, addresses and routes as values (rtnetlink(7)).
//
// `payload` is a message without its nlmsghdr. nullopt: too short, or of a family that is not ours.
#pragma once
#include <optional>

#include "base/bytes.h"
#include "io/network_state.h"

namespace ginnel::io {

std::optional<Interface> parse_interface(ConstBytes payload);       // RTM_NEWLINK, RTM_DELLINK
std::optional<InterfaceAddress> parse_interface_address(ConstBytes payload);  // RTM_{NEW,DEL}ADDR
std::optional<Route> parse_route(ConstBytes payload);               // RTM_NEWROUTE, RTM_DELROUTE

}  // namespace ginnel::io
