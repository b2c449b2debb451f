#include "proto/control/fields.h"

#include <limits>

#include "base/assert.h"

namespace ginnel::control {
namespace {

constexpr std::uint8_t kMappedBits = 96;  // of ::ffff:0:0/96, which holds IPv4

bool is_name_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

void write_text8(Writer& w, std::string_view text) {
  GINNEL_ASSERT(text.size() <= std::numeric_limits<std::uint8_t>::max());
  w.u8(static_cast<std::uint8_t>(text.size())).put(bytes_of(text));
}

void write_blob16(Writer& w, ConstBytes blob) {
  GINNEL_ASSERT(blob.size() <= std::numeric_limits<std::uint16_t>::max());
  w.u16le(static_cast<std::uint16_t>(blob.size())).put(blob);
}

std::optional<Role> read_role(Reader& r) {
  const auto role = static_cast<Role>(r.u8());
  if (role != Role::kPeer && role != Role::kHub) return std::nullopt;
  return role;
}

std::optional<Id> read_id(Reader& r) {
  const auto role = read_role(r);
  const auto uuid = r.array<16>();
  if (!role) return std::nullopt;
  return Id(*role, uuid);
}

void write_id(Writer& w, const Id& id) {
  w.u8(static_cast<std::uint8_t>(id.role())).array(id.uuid());
}

Endpoint read_endpoint(Reader& r) {
  const Address address{r.array<16>()};
  return {address, r.u16be()};
}

void write_endpoint(Writer& w, const Endpoint& endpoint) {
  w.array(endpoint.address.bytes).u16be(endpoint.port);
}

std::optional<Endpoint> read_compact_endpoint(Reader& r) {
  const std::uint8_t family = r.u8();
  if (family != 4 && family != 6) return std::nullopt;
  const auto address = Address::from_wire(r.take(family == 4 ? 4 : 16));
  const std::uint16_t port = r.u16be();
  if (address.is_v4() != (family == 4)) return std::nullopt;
  return Endpoint{address, port};
}

void write_compact_endpoint(Writer& w, const Endpoint& endpoint) {
  w.u8(endpoint.address.is_v4() ? 4 : 6).put(endpoint.address.wire()).u16be(endpoint.port);
}

std::optional<Prefix> read_ipv4_range(Reader& r) {
  const auto address = Address::from_wire(r.take(4));
  const std::uint8_t length = r.u8();
  if (!address.is_v4() || length > 32) return std::nullopt;
  const Prefix range{address, static_cast<std::uint8_t>(kMappedBits + length)};
  if (!is_ipv4_range(range)) return std::nullopt;
  return range;
}

void write_ipv4_range(Writer& w, const Prefix& range) {
  GINNEL_ASSERT(is_ipv4_range(range));
  w.put(range.address.wire()).u8(static_cast<std::uint8_t>(range.length - kMappedBits));
}

bool is_ipv4_range(const Prefix& range) {
  return range.address.is_v4() && range.length >= kMappedBits && range.length <= 128 &&
         Prefix::make(range.address, range.length) == range;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && text.front() != '-' &&
         text.back() != '-' && std::ranges::all_of(text, is_name_letter);
}

bool is_host_port(std::string_view text) {
  return !text.empty() && text.size() <= kHostPortBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace ginnel::control
