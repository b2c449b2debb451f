// Bytes and their hexadecimal text. Everything here works on spans; only to_hex and from_hex
// allocate.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ginnel {

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;
using ByteVector = std::vector<std::byte>;

inline ConstBytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
template <std::size_t N>
ConstBytes bytes_of(const std::array<std::uint8_t, N>& array) {
  return std::as_bytes(std::span(array));
}
inline std::string_view text_of(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteVector to_vector(ConstBytes bytes) { return {bytes.begin(), bytes.end()}; }

inline bool equal(ConstBytes a, ConstBytes b) { return std::ranges::equal(a, b); }

// Lower-case, two characters a byte.
std::string to_hex(ConstBytes bytes);
// nullopt: an odd count, or a character that is no hexadecimal digit.
std::optional<ByteVector> from_hex(std::string_view text);

}  // namespace ginnel
