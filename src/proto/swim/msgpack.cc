#include "proto/swim/msgpack.h"

#include <bit>

namespace ginnel::swim {
namespace {

constexpr std::uint8_t kNil = 0xc0;
constexpr std::uint8_t kFalse = 0xc2;
constexpr std::uint8_t kTrue = 0xc3;
constexpr int kSkipDepthMax = 16;  // an unknown value nested more deeply is refused

constexpr bool within(std::uint8_t tag, std::uint8_t low, std::uint8_t high) {
  return low <= tag && tag <= high;
}

}  // namespace

MsgpackWriter& MsgpackWriter::big(std::uint8_t tag, std::uint64_t value, int bytes) {
  out_.push_back(std::byte{tag});
  for (int i = bytes; i-- > 0;) out_.push_back(static_cast<std::byte>(value >> (8 * i)));
  return *this;
}

// A container's head: up to 15 in the tag itself, else 16 or (the next tag) 32 bits behind it.
MsgpackWriter& MsgpackWriter::sized(std::uint8_t fix, std::uint8_t tag16, std::size_t size) {
  if (size <= 15) return big(static_cast<std::uint8_t>(fix | size), 0, 0);
  if (size <= 0xffff) return big(tag16, size, 2);
  return big(static_cast<std::uint8_t>(tag16 + 1), size, 4);
}

MsgpackWriter& MsgpackWriter::map(std::size_t fields) { return sized(0x80, 0xde, fields); }

MsgpackWriter& MsgpackWriter::array(std::size_t values) { return sized(0x90, 0xdc, values); }

MsgpackWriter& MsgpackWriter::real(double value) {
  return big(0xcb, std::bit_cast<std::uint64_t>(value), 8);
}

MsgpackWriter& MsgpackWriter::raw(ConstBytes bytes) {
  const std::size_t size = bytes.size();
  // The old format has no str8 (d9): 32 bytes already take the 16-bit length.
  if (size < 32) big(static_cast<std::uint8_t>(0xa0 | size), 0, 0);
  else if (size <= 0xffff) big(0xda, size, 2);
  else big(0xdb, size, 4);
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  return *this;
}

MsgpackWriter& MsgpackWriter::text(std::string_view text) { return raw(bytes_of(text)); }

MsgpackWriter& MsgpackWriter::bytes(ConstBytes bytes) {
  return bytes.data() == nullptr ? big(kNil, 0, 0) : raw(bytes);
}

MsgpackWriter& MsgpackWriter::number(std::uint64_t value) {
  if (value <= 0x7f) return big(static_cast<std::uint8_t>(value), 0, 0);
  if (value <= 0xff) return big(0xcc, value, 1);
  if (value <= 0xffff) return big(0xcd, value, 2);
  if (value <= 0xffffffff) return big(0xce, value, 4);
  return big(0xcf, value, 8);
}

MsgpackWriter& MsgpackWriter::boolean(bool value) { return big(value ? kTrue : kFalse, 0, 0); }

void MsgpackReader::fail(Drop drop) {
  if (!problem_) problem_ = drop;
  in_.fail();
}

std::uint8_t MsgpackReader::tag() {
  const std::uint8_t out = in_.u8();
  if (!in_.ok()) fail(Drop::kTooShort);
  return out;
}

std::size_t MsgpackReader::length(int bytes) {
  std::size_t out = 0;
  for (int i = 0; i < bytes; ++i) out = out << 8 | tag();
  return out;
}

bool MsgpackReader::next_is_array() const {
  Reader ahead = in_;
  const std::uint8_t tag = ahead.u8();
  return ahead.ok() && (within(tag, 0x90, 0x9f) || tag == 0xdc || tag == 0xdd);
}

bool MsgpackReader::take_nil() {
  Reader ahead = in_;
  if (ahead.u8() != kNil || !ahead.ok()) return false;
  in_ = ahead;
  return true;
}

std::size_t MsgpackReader::map_size() {
  const std::uint8_t t = tag();
  if (problem_) return 0;
  if (within(t, 0x80, 0x8f)) return t & 0x0f;
  if (t == 0xde) return length(2);
  if (t == 0xdf) return length(4);
  fail(Drop::kMalformed);
  return 0;
}

std::size_t MsgpackReader::array_size() {
  const std::uint8_t t = tag();
  if (problem_) return 0;
  if (within(t, 0x90, 0x9f)) return t & 0x0f;
  if (t == 0xdc) return length(2);
  if (t == 0xdd) return length(4);
  fail(Drop::kMalformed);
  return 0;
}

ConstBytes MsgpackReader::raw() {
  const std::uint8_t t = tag();
  if (problem_) return {};
  std::size_t size = 0;
  if (within(t, 0xa0, 0xbf)) size = t & 0x1f;
  else if (t == 0xd9 || t == 0xc4) size = length(1);
  else if (t == 0xda || t == 0xc5) size = length(2);
  else if (t == 0xdb || t == 0xc6) size = length(4);
  else fail(Drop::kMalformed);
  const ConstBytes out = in_.take(size);
  if (!in_.ok()) fail(Drop::kTooShort);
  return out;
}

bool MsgpackReader::boolean() {
  const std::uint8_t t = tag();
  if (t != kFalse && t != kTrue) fail(Drop::kMalformed);
  return t == kTrue;
}

double MsgpackReader::real() {
  const Reader before = in_;
  const std::uint8_t t = tag();
  if (problem_) return 0;
  if (t == 0xca) return std::bit_cast<float>(static_cast<std::uint32_t>(length(4)));
  if (t == 0xcb) return std::bit_cast<double>(static_cast<std::uint64_t>(length(8)));
  in_ = before;
  return static_cast<double>(integer());
}

std::uint64_t MsgpackReader::non_negative(std::int64_t value) {
  if (value < 0) fail(Drop::kMalformed);
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

// Newer go-msgpack writes Go's `int` in the signed forms d0..d3, older ones never do.
std::uint64_t MsgpackReader::integer() {
  const std::uint8_t t = tag();
  if (problem_) return 0;
  if (t <= 0x7f) return t;
  switch (t) {
    case 0xcc: return length(1);
    case 0xcd: return length(2);
    case 0xce: return length(4);
    case 0xcf: return length(8);
    case 0xd0: return non_negative(static_cast<std::int8_t>(length(1)));
    case 0xd1: return non_negative(static_cast<std::int16_t>(length(2)));
    case 0xd2: return non_negative(static_cast<std::int32_t>(length(4)));
    case 0xd3: return non_negative(static_cast<std::int64_t>(length(8)));
    default: fail(Drop::kMalformed); return 0;
  }
}

void MsgpackReader::skip_many(std::size_t values, int depth) {
  // Each value takes a byte at least, so the input bounds the loop.
  for (std::size_t i = 0; i < values && !problem_; ++i) skip(depth);
}

void MsgpackReader::skip(int depth) {
  if (depth > kSkipDepthMax) return fail(Drop::kNested);
  const Reader before = in_;
  const std::uint8_t t = tag();
  if (problem_) return;
  std::size_t size = 0;  // bytes that follow
  if (t <= 0x7f || t >= 0xe0 || t == kNil || t == kFalse || t == kTrue) return;
  if (within(t, 0x80, 0x8f)) return skip_many(2u * (t & 0x0f), depth + 1);
  if (within(t, 0x90, 0x9f)) return skip_many(t & 0x0f, depth + 1);
  switch (t) {
    case 0xdc: return skip_many(length(2), depth + 1);
    case 0xdd: return skip_many(length(4), depth + 1);
    case 0xde: return skip_many(2 * length(2), depth + 1);
    case 0xdf: return skip_many(2 * length(4), depth + 1);
    case 0xc7: size = length(1) + 1; break;  // ext8, 16, 32: a type byte more
    case 0xc8: size = length(2) + 1; break;
    case 0xc9: size = length(4) + 1; break;
    case 0xcc: case 0xd0: size = 1; break;
    case 0xcd: case 0xd1: size = 2; break;
    case 0xca: case 0xce: case 0xd2: size = 4; break;
    case 0xcb: case 0xcf: case 0xd3: size = 8; break;
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:
      size = (1u << (t - 0xd4)) + 1u;  // fixext
      break;
    default:
      in_ = before;
      raw();
      return;
  }
  in_.take(size);
  if (!in_.ok()) fail(Drop::kTooShort);
}

std::size_t MsgpackReader::field_of(std::string_view name,
                                    std::span<const std::string_view> names) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

}  // namespace ginnel::swim
