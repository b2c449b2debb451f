// Who a node is: `S` (hub) or `C` (peer) and a UUID (version 8, RFC 9562), derived from its identity
// key, so nobody can claim another's Id (docs/design.md section 4).
//
//   auto id = ginnel::Id::parse("C0190c3f2-6f3a-8c1d-9e2b-0011223344ff");
//   id->text();
//
// A value: copies freely, orders, hashes. Never allocates but in text().
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ginnel {

enum class Role : std::uint8_t { kPeer = 'C', kHub = 'S' };

class Id {
 public:
  using Uuid = std::array<std::uint8_t, 16>;
  static constexpr std::size_t kTextSize = 37;  // role letter + 36 characters of UUID

  // The nil Id: no node has it.
  constexpr Id() = default;
  constexpr Id(Role role, const Uuid& uuid) : role_(role), uuid_(uuid) {}

  // Reads the text form; letters of the UUID in either case. nullopt: not an Id.
  static std::optional<Id> parse(std::string_view text);

  constexpr Role role() const { return role_; }
  constexpr bool is_hub() const { return role_ == Role::kHub; }
  constexpr bool is_nil() const { return uuid_ == Uuid{}; }
  constexpr const Uuid& uuid() const { return uuid_; }
  std::string text() const;

  friend constexpr auto operator<=>(const Id&, const Id&) = default;

 private:
  Role role_ = Role::kPeer;
  Uuid uuid_{};
};

}  // namespace ginnel

template <>
struct std::hash<ginnel::Id> {
  // The UUID is a hash already: eight of its bytes are as good as any mix of them.
  std::size_t operator()(const ginnel::Id& id) const noexcept {
    std::size_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | id.uuid()[i + 8];
    return out;
  }
};
