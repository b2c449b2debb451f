#include "io/socket_address.h"

#include <cstring>

namespace ginnel::io {

socklen_t to_socket_address(const Endpoint& endpoint, sa_family_t family, SocketAddress& out) {
  if (family == AF_INET && endpoint.address.is_v4()) {
    out.v4 = {};
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(endpoint.port);
    out.v4.sin_addr = to_in_addr(endpoint.address);
    return sizeof out.v4;
  }
  out.v6 = {};
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(endpoint.port);
  out.v6.sin6_addr = to_in6_addr(endpoint.address);
  return sizeof out.v6;
}

Endpoint to_endpoint(const SocketAddress& address) {
  if (address.any.sa_family == AF_INET) {
    return {to_address(address.v4.sin_addr), ntohs(address.v4.sin_port)};
  }
  if (address.any.sa_family == AF_INET6) {
    return {to_address(address.v6.sin6_addr), ntohs(address.v6.sin6_port)};
  }
  return {};
}

in_addr to_in_addr(const Address& address) { return {htonl(address.v4_value())}; }

in6_addr to_in6_addr(const Address& address) {
  in6_addr out{};
  std::memcpy(&out, address.bytes.data(), sizeof out);
  return out;
}

Address to_address(const in_addr& address) { return Address::v4(ntohl(address.s_addr)); }

Address to_address(const in6_addr& address) {
  Address out;
  std::memcpy(out.bytes.data(), &address, sizeof address);
  return out;
}

}  // namespace ginnel::io
