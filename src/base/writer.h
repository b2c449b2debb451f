// Writes a wire format into a span that the caller owns.
//
//   Writer w(buffer);
//   w.u8(kType).u16be(length).put(body);
//   if (!w.ok()) ...                       // the buffer was too small; nothing past it was touched
//   send(buffer.first(w.size()));
//
// Never allocates.
#pragma once
#include <algorithm>
#include <concepts>

#include "base/bytes.h"

namespace ginnel {

class Writer {
 public:
  explicit Writer(Bytes buffer) : buffer_(buffer) {}

  Writer& u8(std::uint8_t v) { return little(v); }
  Writer& u16le(std::uint16_t v) { return little(v); }
  // The low 24 bits.
  Writer& u24le(std::uint32_t v) {
    return u16le(static_cast<std::uint16_t>(v)).u8(static_cast<std::uint8_t>(v >> 16));
  }
  Writer& u32le(std::uint32_t v) { return little(v); }
  Writer& u64le(std::uint64_t v) { return little(v); }
  Writer& u16be(std::uint16_t v) { return big(v); }
  Writer& u32be(std::uint32_t v) { return big(v); }
  Writer& u64be(std::uint64_t v) { return big(v); }
  Writer& put(ConstBytes bytes) {
    const Bytes to = claim(bytes.size());
    std::copy_n(bytes.begin(), to.size(), to.begin());
    return *this;
  }
  template <std::size_t N>
  Writer& array(const std::array<std::uint8_t, N>& bytes) {
    return put(bytes_of(bytes));
  }
  Writer& zeros(std::size_t size) {
    std::ranges::fill(claim(size), std::byte{0});
    return *this;
  }
  // The next `size` bytes, for the caller to fill; empty when there is no room.
  Bytes claim(std::size_t size) {
    if (size > buffer_.size() - size_) {
      ok_ = false;
      return {};
    }
    const Bytes out = buffer_.subspan(size_, size);
    size_ += size;
    return out;
  }

  bool ok() const { return ok_; }
  std::size_t size() const { return size_; }
  std::size_t room() const { return buffer_.size() - size_; }
  Bytes written() const { return buffer_.first(size_); }

 private:
  template <std::unsigned_integral Int>
  Writer& little(Int v) {
    for (std::byte& b : claim(sizeof v)) {
      b = static_cast<std::byte>(v);
      v = static_cast<Int>(static_cast<std::uint64_t>(v) >> 8);
    }
    return *this;
  }
  template <std::unsigned_integral Int>
  Writer& big(Int v) {
    const Bytes to = claim(sizeof v);
    for (std::size_t i = to.size(); i-- > 0;) {
      to[i] = static_cast<std::byte>(v);
      v = static_cast<Int>(static_cast<std::uint64_t>(v) >> 8);
    }
    return *this;
  }

  Bytes buffer_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace ginnel
