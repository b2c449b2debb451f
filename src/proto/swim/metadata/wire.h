// The messages about metadata, which travel as memberlist's user messages. Specified in
// docs/wire/ginnel.md, "Metadata": the envelope byte, the kind, then the fields.
//
//   ByteVector out = encode(Root{.hash = store.root(), .from = "alice"});
//   if (const auto message = parse(out)) std::visit(…, *message);
//
// Texts and spans are borrowed.
#pragma once
#include <ginnel/result.h>

#include <variant>

#include "proto/swim/drop.h"
#include "proto/swim/metadata/store.h"

namespace ginnel::swim::metadata {

// The first byte of a user message. serf's types end at 9 and would have to grow a lot.
inline constexpr std::byte kEnvelope{0x67};  // 'g'

enum class Kind : std::uint8_t {
  kRumor = 1, kAnnounce = 2, kRoot = 3, kSame = 4, kBranches = 5, kLeaves = 6, kWant = 7,
  kRows = 8,
};

// One change, passed on by all that had not heard of it.
struct Rumor { Change change; };
// A change that is too large for a rumor: `from` has it.
struct Announce {
  Change change;  // without its value
  std::string_view from;
};
// "This is the hash of all that I hold."
struct Root {
  std::uint64_t hash = 0;
  bool answer_wanted = false;  // also when ours is the same
  std::string_view from;
};
struct Same { std::string_view from; };  // to a Root
// "I hold something else": of each branch the hash. To a Root.
struct Branches {
  std::array<std::uint64_t, Store::kBranches> hashes{};
  std::string_view from;
};
// All rows of the branches that differ. To Branches.
struct Leaf {
  std::uint64_t key = 0;   // the hash of it
  std::uint64_t time = 0;  // of its version
  std::uint64_t row = 0;   // the hash of it
};
struct Leaves {
  std::array<bool, Store::kBranches> branches{};
  std::vector<Leaf> rows;
  std::string_view from;
};
struct Want {
  std::vector<std::uint64_t> keys;  // their hashes
  std::string_view from;
};
struct Rows {
  bool more = false;  // not all: ask again
  std::vector<Change> changes;
  std::string_view from;
};

using Message = std::variant<Rumor, Announce, Root, Same, Branches, Leaves, Want, Rows>;

// A whole user message, envelope first. At most kRowsMax leaves, keys or changes are read.
// Errors: kTooShort, kMalformed, kUnknownType, kTooLarge.
Result<Message, Drop> parse(ConstBytes message);

ByteVector encode(const Rumor& message);
ByteVector encode(const Announce& message);
ByteVector encode(const Root& message);
ByteVector encode(const Same& message);
ByteVector encode(const Branches& message);
ByteVector encode(const Leaves& message);
ByteVector encode(const Want& message);
ByteVector encode(const Rows& message);

// A row as a change, and what it takes in Rows.
Change change_of(const Row& row);
std::size_t wire_bytes(const Change& change);

}  // namespace ginnel::swim::metadata
