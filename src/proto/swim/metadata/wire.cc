#include "proto/swim/metadata/wire.h"

#include "base/reader.h"
#include "proto/swim/limits.h"
#include "proto/swim/metadata/limits.h"

namespace ginnel::swim::metadata {
namespace {

constexpr std::uint8_t kDeleted = 1;  // a flag of a change; the others are 0
constexpr std::size_t kChangeHeadBytes = 1 + 2 + 2 + 8 + 4;
constexpr std::size_t kLeafBytes = 24;
constexpr std::size_t kBitmapBytes = Store::kBranches / 8;

// ---- writing ----

class Output {
 public:
  Output(Kind kind, std::size_t expected) {
    bytes_.reserve(expected);
    bytes_.push_back(kEnvelope);
    number<std::uint8_t>(static_cast<std::uint8_t>(kind));
  }
  template <std::unsigned_integral Int>
  Output& number(Int value) {
    for (std::size_t i = 0; i < sizeof(Int); ++i) {
      bytes_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i)));
    }
    return *this;
  }
  Output& put(ConstBytes bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Output& name(std::string_view text) {
    return number(static_cast<std::uint16_t>(text.size())).put(bytes_of(text));
  }
  Output& change(const Change& c) {
    number<std::uint8_t>(c.deleted ? kDeleted : 0);
    number(static_cast<std::uint16_t>(c.key.size()));
    number(static_cast<std::uint16_t>(c.writer.size()));
    number(c.time);
    number(static_cast<std::uint32_t>(c.value.size()));
    return put(bytes_of(c.key)).put(bytes_of(c.writer)).put(c.value);
  }
  ByteVector take() { return std::move(bytes_); }

 private:
  ByteVector bytes_;
};

// ---- reading ----

std::string_view read_name(Reader& in) {
  const std::string_view out = text_of(in.take(in.u16le()));
  if (out.empty() || out.size() > kNameBytesMax) in.fail();
  return out;
}

Change read_change(Reader& in) {
  const std::uint8_t flags = in.u8();
  const std::size_t key = in.u16le();
  const std::size_t writer = in.u16le();
  Change out;
  out.deleted = flags == kDeleted;
  out.time = in.u64le();
  const std::size_t value = in.u32le();
  out.key = text_of(in.take(key));
  out.writer = text_of(in.take(writer));
  out.value = in.take(value);
  const bool sound = flags <= kDeleted && out.time != 0 && value <= kValueBytesMax &&
                     (!out.deleted || value == 0) && writer > 0 && writer <= kNameBytesMax &&
                     Key::from_wire(out.key).has_value();
  if (!sound) in.fail();
  return out;
}

// A count that the rest of the message can hold, each taking at least so many bytes.
std::size_t read_count(Reader& in, std::size_t bytes_each) {
  const std::size_t count = in.u32le();
  if (count <= kRowsMax && count * bytes_each <= in.remaining()) return count;
  in.fail();
  return 0;
}

Message read_branches(Reader& in) {
  Branches out;
  for (std::uint64_t& hash : out.hashes) hash = in.u64le();
  out.from = read_name(in);
  return out;
}

Message read_leaves(Reader& in) {
  Leaves out;
  const auto bitmap = in.array<kBitmapBytes>();
  for (std::size_t b = 0; b < Store::kBranches; ++b) {
    out.branches[b] = (bitmap[b / 8] >> (b % 8) & 1) != 0;
  }
  out.rows.resize(read_count(in, kLeafBytes));
  for (Leaf& leaf : out.rows) {
    leaf.key = in.u64le();
    leaf.time = in.u64le();
    leaf.row = in.u64le();
  }
  out.from = read_name(in);
  return out;
}

Message read_want(Reader& in) {
  Want out;
  out.keys.resize(read_count(in, 8));
  for (std::uint64_t& key : out.keys) key = in.u64le();
  out.from = read_name(in);
  return out;
}

Message read_rows(Reader& in) {
  Rows out;
  const std::uint8_t more = in.u8();
  out.more = more == 1;
  if (more > 1) in.fail();
  const std::size_t count = read_count(in, kChangeHeadBytes);
  out.changes.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) out.changes.push_back(read_change(in));
  out.from = read_name(in);
  return out;
}

Message read_announce(Reader& in) {
  Announce out;
  out.change = read_change(in);
  if (!out.change.value.empty() || out.change.deleted) in.fail();
  out.from = read_name(in);
  return out;
}

Message read_root(Reader& in) {
  Root out;
  out.hash = in.u64le();
  const std::uint8_t wanted = in.u8();
  out.answer_wanted = wanted == 1;
  if (wanted > 1) in.fail();
  out.from = read_name(in);
  return out;
}

}  // namespace

Result<Message, Drop> parse(ConstBytes message) {
  Reader in(message);
  if (in.u8() != std::to_integer<std::uint8_t>(kEnvelope)) return Fail(Drop::kUnknownType);
  const auto kind = static_cast<Kind>(in.u8());
  if (!in.ok()) return Fail(Drop::kTooShort);
  const auto done = [&](Message out) -> Result<Message, Drop> {
    if (!in.finished()) return Fail(Drop::kMalformed);
    return out;
  };
  switch (kind) {
    case Kind::kRumor: return done(Rumor{read_change(in)});
    case Kind::kAnnounce: return done(read_announce(in));
    case Kind::kRoot: return done(read_root(in));
    case Kind::kSame: return done(Same{read_name(in)});
    case Kind::kBranches: return done(read_branches(in));
    case Kind::kLeaves: return done(read_leaves(in));
    case Kind::kWant: return done(read_want(in));
    case Kind::kRows: return done(read_rows(in));
  }
  return Fail(Drop::kUnknownType);
}

ByteVector encode(const Rumor& message) {
  return Output(Kind::kRumor, 2 + wire_bytes(message.change)).change(message.change).take();
}

ByteVector encode(const Announce& message) {
  Change change = message.change;
  change.value = {};
  return Output(Kind::kAnnounce, 64).change(change).name(message.from).take();
}

ByteVector encode(const Root& message) {
  return Output(Kind::kRoot, 64)
      .number(message.hash)
      .number<std::uint8_t>(message.answer_wanted ? 1 : 0)
      .name(message.from)
      .take();
}

ByteVector encode(const Same& message) { return Output(Kind::kSame, 64).name(message.from).take(); }

ByteVector encode(const Branches& message) {
  Output out(Kind::kBranches, 8 * Store::kBranches + 64);
  for (const std::uint64_t hash : message.hashes) out.number(hash);
  return out.name(message.from).take();
}

ByteVector encode(const Leaves& message) {
  Output out(Kind::kLeaves, kBitmapBytes + kLeafBytes * message.rows.size() + 64);
  for (std::size_t at = 0; at < Store::kBranches; at += 8) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 8; ++i) bits |= (message.branches[at + i] ? 1u : 0u) << i;
    out.number(static_cast<std::uint8_t>(bits));
  }
  out.number(static_cast<std::uint32_t>(message.rows.size()));
  for (const Leaf& leaf : message.rows) out.number(leaf.key).number(leaf.time).number(leaf.row);
  return out.name(message.from).take();
}

ByteVector encode(const Want& message) {
  Output out(Kind::kWant, 8 * message.keys.size() + 64);
  out.number(static_cast<std::uint32_t>(message.keys.size()));
  for (const std::uint64_t key : message.keys) out.number(key);
  return out.name(message.from).take();
}

ByteVector encode(const Rows& message) {
  std::size_t size = 64;
  for (const Change& change : message.changes) size += wire_bytes(change);
  Output out(Kind::kRows, size);
  out.number<std::uint8_t>(message.more ? 1 : 0);
  out.number(static_cast<std::uint32_t>(message.changes.size()));
  for (const Change& change : message.changes) out.change(change);
  return out.name(message.from).take();
}

Change change_of(const Row& row) {
  return {row.key, row.version.time, row.version.writer, row.deleted, row.value};
}

std::size_t wire_bytes(const Change& change) {
  return kChangeHeadBytes + change.key.size() + change.writer.size() + change.value.size();
}

}  // namespace ginnel::swim::metadata
