// The bytes of a stream between two offsets that only grow: appended at the end, read anywhere,
// dropped at the front. Offsets count from the first byte ever appended.
//
// Grows by doubling up to the limit given, then allocates no more.
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace ginnel::kcp {

class ByteRing {
 public:
  explicit ByteRing(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // At most room() bytes.
  void append(ConstBytes bytes);
  // Fills `out` from `offset`; begin() <= offset, offset + out.size() <= end().
  void copy(std::uint64_t offset, Bytes out) const;
  void drop_until(std::uint64_t offset);

  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t room() const { return bytes_max_ - size(); }
  std::size_t bytes_max() const { return bytes_max_; }

 private:
  void grow(std::size_t size);

  std::size_t bytes_max_;
  ByteVector storage_;  // the byte at `offset` stands at offset % size
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;  // begin_ <= end_ <= begin_ + bytes_max_
};

}  // namespace ginnel::kcp
