#include "proto/swim/lzw.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace ginnel::swim {
namespace {

constexpr std::uint32_t kClear = 256;
constexpr std::uint32_t kEnd = 257;
constexpr int kWidthFirst = 9;
constexpr int kWidthMax = 12;
constexpr std::uint32_t kCodes = 1u << kWidthMax;

// Open addressing over the strings of one table: at most 3837, and one for each byte that is to be
// compressed; four times as many slots. Most that is compressed is a datagram, for which clearing
// the largest table would be most of the work.
class StringTable {
 public:
  explicit StringTable(std::size_t plain_bytes)
      : bits_(static_cast<int>(std::bit_width(std::min<std::size_t>(plain_bytes, kCodes - 1))) + 2),
        slots_(std::size_t{1} << bits_, kFree) {}

  void clear() { std::ranges::fill(slots_, kFree); }
  // The code of (prefix, byte); kCodes if there is none.
  std::uint32_t find(std::uint32_t prefix, std::uint32_t byte) const {
    const std::uint32_t slot = slots_[place_of(key_of(prefix, byte))];
    return slot == kFree ? kCodes : slot & (kCodes - 1);
  }
  void insert(std::uint32_t prefix, std::uint32_t byte, std::uint32_t code) {
    const std::uint32_t key = key_of(prefix, byte);
    slots_[place_of(key)] = key << kWidthMax | code;
  }

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;  // no key: a prefix is below 4095
  static std::uint32_t key_of(std::uint32_t prefix, std::uint32_t byte) {
    return prefix << 8 | byte;
  }
  std::size_t place_of(std::uint32_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = (key * 2654435761u) >> (32 - bits_);  // Knuth's multiplicative hash
    while (slots_[at] != kFree && slots_[at] >> kWidthMax != key) at = (at + 1) & mask;
    return at;
  }
  int bits_;  // of a slot's number; the smallest table has four
  std::vector<std::uint32_t> slots_;
};

class Encoder {
 public:
  Encoder(ConstBytes plain, ByteVector& out) : plain_(plain), out_(out), table_(plain.size()) {}

  void encode() {
    put(kClear);
    if (!plain_.empty()) encode_strings();
    put(kEnd);
    if (bits_ > 0) out_.push_back(static_cast<std::byte>(accumulator_));
  }

 private:
  void encode_strings() {
    std::uint32_t prefix = std::to_integer<std::uint32_t>(plain_[0]);
    for (const std::byte b : plain_.subspan(1)) {
      const std::uint32_t byte = std::to_integer<std::uint32_t>(b);
      if (const std::uint32_t code = table_.find(prefix, byte); code != kCodes) {
        prefix = code;
        continue;
      }
      put(prefix);
      if (next_code()) table_.insert(prefix, byte, highest_);
      prefix = byte;
    }
    put(prefix);
    next_code();
  }

  // False: the table was full, and begins anew without the pending string.
  bool next_code() {
    ++highest_;
    if (highest_ == 1u << width_) ++width_;
    if (highest_ != kCodes - 1) return true;
    put(kClear);
    width_ = kWidthFirst;
    highest_ = kEnd;
    table_.clear();
    return false;
  }

  void put(std::uint32_t code) {
    accumulator_ |= code << bits_;
    bits_ += width_;
    for (; bits_ >= 8; bits_ -= 8, accumulator_ >>= 8) {
      out_.push_back(static_cast<std::byte>(accumulator_));
    }
  }

  ConstBytes plain_;
  ByteVector& out_;
  StringTable table_;
  std::uint32_t accumulator_ = 0;
  int bits_ = 0;  // in accumulator_, < 8 between codes
  int width_ = kWidthFirst;
  std::uint32_t highest_ = kEnd;
};

class Decoder {
 public:
  Decoder(ConstBytes in, std::size_t plain_bytes_max) : in_(in), max_(plain_bytes_max) {}

  Result<ByteVector, Drop> decode() {
    for (;;) {
      const auto code = next_code();
      if (!code) return Fail(Drop::kBadCompression);
      if (*code == kEnd) return std::move(out_);
      if (*code == kClear) {
        clear();
      } else if (!emit(*code)) {
        return Fail(Drop::kBadCompression);
      }
      if (out_.size() > max_) return Fail(Drop::kTooLarge);
    }
  }

 private:
  std::optional<std::uint32_t> next_code() {
    for (; bits_ < width_; bits_ += 8) {
      if (in_.empty()) return std::nullopt;
      accumulator_ |= std::to_integer<std::uint32_t>(in_[0]) << bits_;
      in_ = in_.subspan(1);
    }
    const std::uint32_t out = accumulator_ & ((1u << width_) - 1);
    accumulator_ >>= width_;
    bits_ -= width_;
    return out;
  }

  void clear() {
    width_ = kWidthFirst;
    next_ = kEnd + 1;
    has_last_ = false;
  }

  // A new string is the last one and the byte that followed it: in the output it lies where the
  // last one does, one byte longer. So the table holds places, not bytes.
  bool emit(std::uint32_t code) {
    const Piece before = last_;
    const std::size_t at = out_.size();
    if (code < kClear) {
      out_.push_back(static_cast<std::byte>(code));
    } else if (code < next_) {
      copy(pieces_[code]);
    } else if (code == next_ && has_last_) {
      copy(before);  // KwKwK: the string being defined, which ends as it begins
      out_.push_back(out_[at]);
    } else {
      return false;
    }
    if (has_last_ && next_ < kCodes) pieces_[next_++] = {before.at, before.size + 1};
    last_ = {at, out_.size() - at};
    has_last_ = true;  // the first code after a clear defines nothing
    if (next_ >= 1u << width_ && width_ < kWidthMax) ++width_;
    return true;
  }

  struct Piece {
    std::size_t at;
    std::size_t size;
  };
  void copy(Piece piece) {
    const std::size_t to = out_.size();
    out_.resize(to + piece.size);
    std::copy_n(out_.begin() + static_cast<std::ptrdiff_t>(piece.at), piece.size,
                out_.begin() + static_cast<std::ptrdiff_t>(to));
  }

  ConstBytes in_;
  std::size_t max_;
  ByteVector out_;
  std::array<Piece, kCodes> pieces_;  // those from kEnd + 1 to before next_; others hold nothing
  Piece last_{};
  bool has_last_ = false;
  std::uint32_t accumulator_ = 0;
  int bits_ = 0;
  int width_ = kWidthFirst;
  std::uint32_t next_ = kEnd + 1;
};

}  // namespace

ByteVector lzw_compress(ConstBytes plain) {
  ByteVector out;
  out.reserve(plain.size() / 2 + 16);
  Encoder(plain, out).encode();
  return out;
}

Result<ByteVector, Drop> lzw_decompress(ConstBytes compressed, std::size_t plain_bytes_max) {
  return Decoder(compressed, plain_bytes_max).decode();
}

}  // namespace ginnel::swim
