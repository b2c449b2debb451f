// The field types that many messages share (docs/wire/ginnel.md section 1), and how a parser ends.
//
// Readers return nullopt for a value the format does not allow; a read past the end is told by the
// Reader, as always. Never allocates.
#pragma once
#include <ginnel/id.h>
#include <ginnel/result.h>

#include <optional>
#include <string_view>
#include <utility>

#include "base/address.h"
#include "base/reader.h"
#include "base/writer.h"
#include "proto/control/drop.h"

namespace ginnel::control {

inline constexpr std::size_t kIdBytes = 17;        // role letter, UUID
inline constexpr std::size_t kEndpointBytes = 18;  // address 16, port 2
inline constexpr std::size_t kNameBytesMax = 63;   // one DNS label
inline constexpr std::size_t kHostPortBytesMax = 255;

inline ConstBytes read_text8(Reader& r) { return r.take(r.u8()); }
inline ConstBytes read_blob16(Reader& r) { return r.take(r.u16le()); }
void write_text8(Writer& w, std::string_view text);  // at most 255 bytes
void write_blob16(Writer& w, ConstBytes blob);       // at most 65535 bytes

template <class Key>
Key read_key(Reader& r) {
  return Key::from(r.take(Key{}.bytes().size())).value_or(Key{});
}

std::optional<Role> read_role(Reader& r);
std::optional<Id> read_id(Reader& r);
void write_id(Writer& w, const Id& id);

Endpoint read_endpoint(Reader& r);
void write_endpoint(Writer& w, const Endpoint& endpoint);
// Family, 4 or 16 bytes, port. An IPv4 address in its 16-byte form is refused: one encoding each.
std::optional<Endpoint> read_compact_endpoint(Reader& r);
void write_compact_endpoint(Writer& w, const Endpoint& endpoint);

// An IPv4 range: address 4, length u8 (0..32). Host bits must be zero.
std::optional<Prefix> read_ipv4_range(Reader& r);
void write_ipv4_range(Writer& w, const Prefix& range);
bool is_ipv4_range(const Prefix& range);

// 1..63 of a-z 0-9 '-', no '-' first or last: what a DNS label may be.
bool is_name(std::string_view text);
// 1..255 printable ASCII characters without space: "host:port", resolved by whoever needs it.
bool is_host_port(std::string_view text);

// The end of every parser: all was there, and nothing follows.
template <class T>
Result<T, Drop> finish(const Reader& r, T value) {
  if (!r.ok()) return Fail(Drop::kTooShort);
  if (r.remaining() > 0) return Fail(Drop::kTrailing);
  return value;
}
// For a value that is not allowed: it may be zeros that stand for a missing end.
inline Fail<Drop> refused(const Reader& r, Drop why = Drop::kBadField) {
  return Fail(r.ok() ? why : Drop::kTooShort);
}

}  // namespace ginnel::control
