#include "base/address.h"

#include <charconv>

namespace ginnel {
namespace {

template <class Int>
std::optional<Int> parse_decimal(std::string_view text) {
  Int value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<Address> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> quad{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t dot = i == 3 ? text.size() : text.find('.');
    if (dot == std::string_view::npos || dot > 3) return std::nullopt;
    // RFC 6943 section 3.1.1: a leading zero may mean octal, so it is refused.
    if (dot > 1 && text[0] == '0') return std::nullopt;
    const auto value = parse_decimal<std::uint8_t>(text.substr(0, dot));
    if (!value) return std::nullopt;
    quad[i] = *value;
    text.remove_prefix(i == 3 ? dot : dot + 1);
  }
  return Address::v4(quad[0], quad[1], quad[2], quad[3]);
}

// RFC 4291 section 2.2, the forms 1 to 3.
std::optional<Address> parse_v6(std::string_view text) {
  Address out;
  std::size_t filled = 0;              // bytes written from the front
  std::optional<std::size_t> gap;      // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (filled >= 16) return std::nullopt;
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      const auto quad = parse_v4(group);
      if (!quad || filled > 12) return std::nullopt;
      for (std::size_t i = 0; i < 4; ++i) out.bytes[filled++] = quad->bytes[12 + i];
      break;
    }
    if (group.empty() || group.size() > 4) return std::nullopt;
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (error != std::errc{} || end != group.data() + group.size()) return std::nullopt;
    out.bytes[filled++] = static_cast<std::uint8_t>(value >> 8);
    out.bytes[filled++] = static_cast<std::uint8_t>(value);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.starts_with(':')) {
      if (gap) return std::nullopt;
      gap = filled;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return std::nullopt;  // a single colon at the end
    }
  }
  if (!gap) return filled == 16 ? std::optional(out) : std::nullopt;
  if (filled >= 16) return std::nullopt;
  const std::size_t tail = filled - *gap;
  for (std::size_t i = 0; i < tail; ++i) {
    out.bytes[15 - i] = out.bytes[filled - 1 - i];
  }
  for (std::size_t i = *gap; i < 16 - tail; ++i) out.bytes[i] = 0;
  return out;
}

void append_hex(std::string& out, unsigned value) {
  char buffer[8];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr;
  out.append(buffer, end);
}

std::string v4_text(const Address& a) {
  std::string out;
  for (std::size_t i = 12; i < 16; ++i) {
    if (i > 12) out += '.';
    out += std::to_string(a.bytes[i]);
  }
  return out;
}

// RFC 5952: lower case, the longest run of zero groups (two or more, the first of equals) as "::".
std::string v6_text(const Address& a) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = a.bytes[2 * i] * 256u + a.bytes[2 * i + 1];
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t n = 0;
    while (i + n < 8 && groups[i + n] == 0) ++n;
    if (n > best_length) {
      best = i;
      best_length = n;
    }
    i += n == 0 ? 1 : n;
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    append_hex(out, groups[i]);
  }
  return out;
}

}  // namespace

Address Address::from_wire(ConstBytes bytes) {
  Address out;
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
  if (bytes.size() == 4) return v4(byte(0), byte(1), byte(2), byte(3));
  if (bytes.size() != 16) return out;
  for (std::size_t i = 0; i < 16; ++i) out.bytes[i] = byte(i);
  return out;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

bool Address::is_v4() const {
  for (std::size_t i = 0; i < 10; ++i) {
    if (bytes[i] != 0) return false;
  }
  return bytes[10] == 0xff && bytes[11] == 0xff;
}

bool Address::is_unspecified() const { return *this == Address{} || *this == v4(0, 0, 0, 0); }

bool Address::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  Address one;
  one.bytes[15] = 1;
  return *this == one;
}

bool Address::is_multicast_or_broadcast() const {
  if (is_v4()) return bytes[12] >= 224 && (bytes[12] < 240 || *this == v4(255, 255, 255, 255));
  return bytes[0] == 0xff;
}

bool Address::is_link_local() const {
  if (is_v4()) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool Address::is_private() const {
  if (!is_v4()) return (bytes[0] & 0xfe) == 0xfc;
  return bytes[12] == 10 || (bytes[12] == 172 && (bytes[13] & 0xf0) == 16) ||
         (bytes[12] == 192 && bytes[13] == 168) || (bytes[12] == 100 && (bytes[13] & 0xc0) == 64);
}

std::uint32_t Address::v4_value() const {
  return std::uint32_t{bytes[12]} << 24 | std::uint32_t{bytes[13]} << 16 |
         std::uint32_t{bytes[14]} << 8 | bytes[15];
}

ConstBytes Address::wire() const {
  return is_v4() ? bytes_of(bytes).subspan(12) : bytes_of(bytes);
}

std::string Address::text() const { return is_v4() ? v4_text(*this) : v6_text(*this); }

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string Endpoint::text() const {
  const std::string host = address.is_v4() ? address.text() : '[' + address.text() + ']';
  return host + ':' + std::to_string(port);
}

Prefix Prefix::make(const Address& address, std::uint8_t length) {
  Prefix out{address, length};
  for (std::size_t bit = length; bit < 128; ++bit) {
    out.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
  }
  return out;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return host(*address);
  const auto length = parse_decimal<std::uint8_t>(text.substr(slash + 1));
  const std::uint8_t most = address->is_v4() ? 32 : 128;
  if (!length || *length > most) return std::nullopt;
  return make(*address, static_cast<std::uint8_t>(128 - most + *length));
}

bool Prefix::contains(const Address& other) const {
  return make(other, length).address == address;
}

bool Prefix::overlaps(const Prefix& other) const {
  return length <= other.length ? contains(other.address) : other.contains(address);
}

std::string Prefix::text() const {
  const bool v4 = address.is_v4() && length >= 96;
  return address.text() + '/' + std::to_string(v4 ? length - 96 : length);
}

}  // namespace ginnel
