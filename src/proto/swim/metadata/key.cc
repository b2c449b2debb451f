#include "proto/swim/metadata/key.h"

#include "crypto/siphash.h"
#include "proto/swim/limits.h"
#include "proto/swim/metadata/limits.h"

namespace ginnel::swim::metadata {

std::string Key::wire() const {
  std::string out(1, static_cast<char>(space));
  if (space == Space::kOwn) out.append(owner).push_back('\0');
  return out.append(name);
}

std::optional<Key> Key::from_wire(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Key out{.space = static_cast<Space>(text[0]), .owner = {}, .name = {}};
  text.remove_prefix(1);
  if (out.space == Space::kOwn) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    out.owner = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  out.name = text;
  return out.is_valid() ? std::optional(std::move(out)) : std::nullopt;
}

bool Key::is_valid() const {
  if (name.size() > kKeyBytesMax) return false;
  switch (space) {
    case Space::kCommon: return owner.empty() && !name.empty();
    case Space::kPublished: return owner.empty() && name.empty();
    case Space::kOwn:
      return !owner.empty() && owner.size() <= kNameBytesMax && !name.empty() &&
             owner.find('\0') == std::string::npos;
  }
  return false;
}

std::uint64_t hash_of(std::string_view wire_key) {
  return crypto::siphash(crypto::SipKey{}, bytes_of(wire_key));
}

}  // namespace ginnel::swim::metadata
