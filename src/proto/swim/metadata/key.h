// What metadata is about: the cluster's one value, keys of everybody, and what a member says of
// itself alone.
//
//   Key{.space = Space::kCommon, .name = "db/leader"}
//   Key{.space = Space::kOwn, .owner = "web-1", .name = "private"}   // only web-1 writes it
#pragma once
#include <optional>
#include <string>

#include "base/bytes.h"

namespace ginnel::swim::metadata {

enum class Space : std::uint8_t {
  kCommon = 1,     // `kv`: keys that anybody writes
  kPublished = 2,  // `meta`: the one value of the cluster; its name is empty
  kOwn = 3,        // rows that only their owner writes, and that go when it stays away
};

struct Key {
  Space space = Space::kCommon;
  std::string owner;  // kOwn: the member's name, without NUL; else empty
  std::string name;

  // On the wire: the space, for kOwn the owner and a NUL, then the name.
  std::string wire() const;
  static std::optional<Key> from_wire(std::string_view text);
  // Within the limits, and of a form that from_wire gives back.
  bool is_valid() const;
  friend auto operator<=>(const Key&, const Key&) = default;
};

// A row's identity everywhere: SipHash-2-4 under a key of zeros, so that all members agree. Two keys
// with one hash can be made by an attacker; the second one is refused.
std::uint64_t hash_of(std::string_view wire_key);

}  // namespace ginnel::swim::metadata
