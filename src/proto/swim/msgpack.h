// The types of msgpack that memberlist and serf use: map, array, raw, unsigned, double, bool, nil.
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

  MsgpackWriter& map(std::size_t fields);
  MsgpackWriter& array(std::size_t values);
  MsgpackWriter& key(std::string_view name) { return raw(bytes_of(name)); }
  MsgpackWriter& text(std::string_view text);
  // A span whose data() is null is Go's nil slice: written c0. Any other empty one: a0.
  MsgpackWriter& bytes(ConstBytes bytes);
  MsgpackWriter& number(std::uint64_t value);
  MsgpackWriter& real(double value);
  MsgpackWriter& boolean(bool value);

 private:
  MsgpackWriter& sized(std::uint8_t fix, std::uint8_t tag16, std::size_t size);
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
  std::size_t array_size();
  // True: the next value was nil, and is taken.
  bool take_nil();
  ConstBytes raw();  // text or binary in any form; its data() is never null
  std::string_view text() { return text_of(raw()); }
  bool boolean();
  double real();  // either width; an integer too, as Go decodes it
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
  bool next_is_array() const;
  void skip(int depth);
  void skip_many(std::size_t values, int depth);
  std::uint8_t tag();
  std::size_t length(int bytes);
  void fail(Drop drop);

  Reader in_;
  std::optional<Drop> problem_;
};

}  // namespace ginnel::swim
