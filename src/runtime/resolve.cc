#include "runtime/resolve.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace ginnel::runtime {
namespace {

Endpoint endpoint_of(const sockaddr& address, std::uint16_t port) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return {Address::from_wire(std::as_bytes(std::span(&v4.sin_addr, 1))), port};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return {Address::from_wire(std::as_bytes(std::span(&v6.sin6_addr, 1))), port};
}

}  // namespace

std::vector<Endpoint> resolve(const std::string& host, std::uint16_t port) {
  if (const auto literal = Address::parse(host)) return {{*literal, port}};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  std::vector<Endpoint> out;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
    const Endpoint endpoint = endpoint_of(*a->ai_addr, port);
    if (std::ranges::find(out, endpoint) == out.end()) out.push_back(endpoint);
  }
  freeaddrinfo(found);
  return out;
}

std::vector<Endpoint> resolve(std::string_view host_port) {
  if (const auto literal = Endpoint::parse(host_port)) return {*literal};
  const std::size_t colon = host_port.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::uint16_t port = 0;
  const std::string_view digits = host_port.substr(colon + 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return {};
  return resolve(std::string(host_port.substr(0, colon)), port);
}

}  // namespace ginnel::runtime
