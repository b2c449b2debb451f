// The six types of msgpack that memberlist uses: map, raw, unsigned, bool, nil, and arrays on input.
// It is the old format, where text and binary are one type "raw" (go-msgpack before "str8").
//
//   MsgpackWriter(out).map(2).key("Node").raw("a").key("SeqNo").number(7);
//
//   MsgpackReader r(bytes);
//   r.read_struct(kFields, [&](std::size_t field) { ... r.text(), r.number<std::uint32_t>() ... });
//   if (r.problem()) ...
//
// A reader is total, borrows from its input and never allocates. After the first problem it yields
// zeros and empty spans.
#pragma once
#include <limits>

#include "base/reader.h"
#include "proto/swim/drop.h"

namespace ginnel::swim {

class MsgpackWriter {
 public:
  explicit MsgpackWriter(ByteVector& out) : out_(out) {}  // appends

  MsgpackWriter& map(std::size_t fields);  // <= 15
  MsgpackWriter& key(std::string_view name) { return raw(bytes_of(name)); }
  MsgpackWriter& text(std::string_view text);
  // A span whose data() is null is Go's nil slice: written c0. Any other empty one: a0.
  MsgpackWriter& bytes(ConstBytes bytes);
  MsgpackWriter& number(std::uint64_t value);
  MsgpackWriter& boolean(bool value);

 private:
  MsgpackWriter& raw(ConstBytes bytes);
  MsgpackWriter& big(std::uint8_t tag, std::uint64_t value, int bytes);

  ByteVector& out_;
};

class MsgpackReader {
 public:
  explicit MsgpackReader(ConstBytes bytes) : in_(bytes) {}

  // A struct: a map with any order of keys, of which unknown ones are skipped, or (never sent by
  // anybody we know, but decoded by Go) an array in the order of `names`. `read(i)` must read the
  // value of names[i]. A nil value leaves the field as it is.
  template <class Read>
  void read_struct(std::span<const std::string_view> names, Read&& read) {
    const bool is_array = next_is_array();
    const std::size_t count = is_array ? array_size() : map_size();
    for (std::size_t i = 0; i < count && !problem_; ++i) {
      const std::size_t field = is_array ? i : field_of(text(), names);
      if (problem_ || take_nil()) continue;
      if (field < names.size()) read(field);
      else skip(0);
    }
  }

  std::size_t map_size();
  ConstBytes raw();  // text or binary in any form; its data() is never null
  std::string_view text() { return text_of(raw()); }
  bool boolean();
  // Any integer form, signed ones too. Outside Int's range: kMalformed.
  template <std::unsigned_integral Int>
  Int number() {
    const std::uint64_t value = integer();
    if (value > std::numeric_limits<Int>::max()) fail(Drop::kMalformed);
    return problem_ ? Int{0} : static_cast<Int>(value);
  }

  void skip_value() { skip(0); }

  // kTooShort: the input ends within a value; with more bytes it could be one.
  std::optional<Drop> problem() const { return problem_; }
  std::size_t remaining() const { return in_.remaining(); }
  ConstBytes rest() { return in_.rest(); }

 private:
  static std::size_t field_of(std::string_view name, std::span<const std::string_view> names);
  std::uint64_t integer();
  std::uint64_t non_negative(std::int64_t value);
  std::size_t array_size();
  bool next_is_array() const;
  bool take_nil();
  void skip(int depth);
  void skip_many(std::size_t values, int depth);
  std::uint8_t tag();
  std::size_t length(int bytes);
  void fail(Drop drop);

  Reader in_;
  std::optional<Drop> problem_;
};

}  // namespace ginnel::swim
