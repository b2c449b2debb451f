#include "proto/swim/lzw.h"

#include <memory>

namespace ginnel::swim {
namespace {

constexpr std::uint32_t kClear = 256;
constexpr std::uint32_t kEnd = 257;
constexpr int kWidthFirst = 9;
constexpr int kWidthMax = 12;
constexpr std::uint32_t kCodes = 1u << kWidthMax;

// Open addressing over the at most 3837 strings of one table; four times as many slots.
class StringTable {
 public:
  void clear() { slots_.fill(kFree); }
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
  static constexpr std::size_t kSlots = 4 * kCodes;
  static std::uint32_t key_of(std::uint32_t prefix, std::uint32_t byte) {
    return prefix << 8 | byte;
  }
  std::size_t place_of(std::uint32_t key) const {
    std::size_t at = (key * 2654435761u) >> 18;  // Knuth's multiplicative hash: 14 bits
    while (slots_[at] != kFree && slots_[at] >> kWidthMax != key) at = (at + 1) & (kSlots - 1);
    return at;
  }
  std::array<std::uint32_t, kSlots> slots_;
};

class Encoder {
 public:
  explicit Encoder(ByteVector& out) : out_(out) { table_->clear(); }

  void encode(ConstBytes plain) {
    put(kClear);
    if (!plain.empty()) encode_strings(plain);
    put(kEnd);
    if (bits_ > 0) out_.push_back(static_cast<std::byte>(accumulator_));
  }

 private:
  void encode_strings(ConstBytes plain) {
    std::uint32_t prefix = std::to_integer<std::uint32_t>(plain[0]);
    for (const std::byte b : plain.subspan(1)) {
      const std::uint32_t byte = std::to_integer<std::uint32_t>(b);
      if (const std::uint32_t code = table_->find(prefix, byte); code != kCodes) {
        prefix = code;
        continue;
      }
      put(prefix);
      if (next_code()) table_->insert(prefix, byte, highest_);
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
    table_->clear();
    return false;
  }

  void put(std::uint32_t code) {
    accumulator_ |= code << bits_;
    bits_ += width_;
    for (; bits_ >= 8; bits_ -= 8, accumulator_ >>= 8) {
      out_.push_back(static_cast<std::byte>(accumulator_));
    }
  }

  ByteVector& out_;
  std::unique_ptr<StringTable> table_ = std::make_unique<StringTable>();
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
    std::size_t at = 0;
    std::size_t size = 0;
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
  std::array<Piece, kCodes> pieces_{};
  Piece last_;
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
  Encoder(out).encode(plain);
  return out;
}

Result<ByteVector, Drop> lzw_decompress(ConstBytes compressed, std::size_t plain_bytes_max) {
  return Decoder(compressed, plain_bytes_max).decode();
}

}  // namespace ginnel::swim
