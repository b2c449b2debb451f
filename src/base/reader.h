// Reads a wire format from a span, bounds checked once per field.
//
//   Reader r(bytes);
//   const auto type = r.u8();
//   const auto length = r.u16be();
//   const auto body = r.take(length);
//   if (!r.ok()) return Fail(Drop::kTooShort);
//
// A read past the end yields zeros (or an empty span) and clears ok() for good, so a parser may
// read a whole header and ask once. Never allocates.
#pragma once
#include <algorithm>
#include <concepts>

#include "base/bytes.h"

namespace ginnel {

class Reader {
 public:
  explicit Reader(ConstBytes bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(little<std::uint8_t>()); }
  std::uint16_t u16le() { return little<std::uint16_t>(); }
  std::uint32_t u24le() {
    const std::uint32_t low = u16le();
    return low | std::uint32_t{u8()} << 16;
  }
  std::uint32_t u32le() { return little<std::uint32_t>(); }
  std::uint64_t u64le() { return little<std::uint64_t>(); }
  std::uint16_t u16be() { return big<std::uint16_t>(); }
  std::uint32_t u32be() { return big<std::uint32_t>(); }
  std::uint64_t u64be() { return big<std::uint64_t>(); }

  // The next `size` bytes, borrowed from the input.
  ConstBytes take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const ConstBytes out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    const ConstBytes from = take(N);
    std::ranges::copy(from, std::as_writable_bytes(std::span(out)).begin());
    return out;
  }
  ConstBytes rest() { return take(rest_.size()); }

  bool ok() const { return ok_; }
  std::size_t remaining() const { return rest_.size(); }
  // Everything was read, and nothing past the end.
  bool finished() const { return ok_ && rest_.empty(); }
  // For a parser that finds a value it cannot accept half-way: as if the input had ended.
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  template <std::unsigned_integral Int>
  Int little() {
    const ConstBytes from = take(sizeof(Int));
    Int out = 0;
    for (std::size_t i = from.size(); i-- > 0;) {
      out = static_cast<Int>(static_cast<std::uint64_t>(out) << 8 |
                             std::to_integer<std::uint64_t>(from[i]));
    }
    return out;
  }
  template <std::unsigned_integral Int>
  Int big() {
    Int out = 0;
    for (const std::byte b : take(sizeof(Int))) {
      out = static_cast<Int>(static_cast<std::uint64_t>(out) << 8 | std::to_integer<std::uint64_t>(b));
    }
    return out;
  }

  ConstBytes rest_;
  bool ok_ = true;
};

}  // namespace ginnel
