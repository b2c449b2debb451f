// IP addresses, endpoints and prefixes as plain values. IPv4 is held as v4-mapped IPv6, so one type
// serves both families and the all-zero address means "unspecified".
//
//   auto e = Endpoint::parse("203.0.113.9:7700");   // or "[2001:db8::1]:7700"
//   e->text();
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ginnel {

struct Address {
  std::array<std::uint8_t, 16> bytes{};

  static constexpr Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
  }
  static constexpr Address v4(std::uint32_t host_order) {
    return v4(static_cast<std::uint8_t>(host_order >> 24), static_cast<std::uint8_t>(host_order >> 16),
              static_cast<std::uint8_t>(host_order >> 8), static_cast<std::uint8_t>(host_order));
  }
  // The 4 or 16 bytes of an address as they stand in a packet header. Other sizes: unspecified.
  static Address from_wire(ConstBytes bytes);
  // Dotted quad or RFC 4291 text, without port, prefix length or zone.
  static std::optional<Address> parse(std::string_view text);

  bool is_v4() const;
  bool is_unspecified() const;  // ::, or 0.0.0.0
  bool is_loopback() const;
  bool is_multicast_or_broadcast() const;
  bool is_link_local() const;
  bool is_private() const;         // RFC 1918, RFC 6598 (100.64/10), RFC 4193 (fc00::/7)
  std::uint32_t v4_value() const;  // host order; meaningless unless is_v4()
  // The address as it stands in a packet header: 4 bytes for IPv4, else 16.
  ConstBytes wire() const;
  std::string text() const;

  friend constexpr auto operator<=>(const Address&, const Address&) = default;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  // "A.B.C.D:PORT" or "[V6]:PORT"; the port from 0 to 65535.
  static std::optional<Endpoint> parse(std::string_view text);
  std::string text() const;

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// A range of addresses: those whose first `length` bits equal the address's.
struct Prefix {
  Address address;              // bits past `length` are zero
  std::uint8_t length = 128;    // 0..128, counted in the 128-bit form: an IPv4 /24 is 120

  // "10.66.0.0/16", "fd00::/8", or a bare address (a host prefix). Host bits are cleared.
  static std::optional<Prefix> parse(std::string_view text);
  static Prefix host(const Address& address) { return {address, 128}; }
  static Prefix make(const Address& address, std::uint8_t length);
  bool contains(const Address& other) const;
  bool overlaps(const Prefix& other) const;
  std::string text() const;  // "10.66.0.0/16"

  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;
};

}  // namespace ginnel

template <>
struct std::hash<ginnel::Address> {
  std::size_t operator()(const ginnel::Address& a) const noexcept {
    return std::hash<std::string_view>{}(ginnel::text_of(ginnel::bytes_of(a.bytes)));
  }
};
template <>
struct std::hash<ginnel::Endpoint> {
  std::size_t operator()(const ginnel::Endpoint& e) const noexcept {
    return std::hash<ginnel::Address>{}(e.address) * 31 + e.port;
  }
};
