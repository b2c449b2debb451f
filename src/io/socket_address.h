// Between Endpoint and the kernel's sockaddr.
//
// Never allocates.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/address.h"

namespace ginnel::io {

// Room for both families.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// For a socket of `family`: on AF_INET6 an IPv4 address is written v4-mapped. An IPv6 address on an
// AF_INET socket stays IPv6, and the kernel refuses it (EAFNOSUPPORT). Returns the length.
socklen_t to_socket_address(const Endpoint& endpoint, sa_family_t family, SocketAddress& out);
// Unspecified with port 0 when it is neither IPv4 nor IPv6.
Endpoint to_endpoint(const SocketAddress& address);

in_addr to_in_addr(const Address& address);  // of an IPv4 address
in6_addr to_in6_addr(const Address& address);
Address to_address(const in_addr& address);
Address to_address(const in6_addr& address);

}  // namespace ginnel::io
