// The protocol numbers that each member announces (memberlist "Vsn"), and whether they fit together.
#pragma once
#include <ginnel/result.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"

namespace ginnel::swim {

// P: memberlist's own protocol; D: the application's ("delegate") protocol. Wire order.
struct Vsn {
  std::uint8_t p_min = 1;
  std::uint8_t p_max = 5;
  std::uint8_t p_cur = 2;  // memberlist's default, "ProtocolVersion2Compatible"
  std::uint8_t d_min = 0;
  std::uint8_t d_max = 0;
  std::uint8_t d_cur = 0;

  static constexpr std::size_t kBytes = 6;
  // nullopt: not 6 bytes. memberlist 0.2.2 panics on 1 to 5; here they count as absent.
  static std::optional<Vsn> from_wire(ConstBytes bytes);
  std::array<std::byte, kBytes> wire() const;

  // memberlist aliveNode: others are ignored with a warning.
  bool is_sane() const { return p_min != 0 && p_max != 0 && p_min <= p_max; }
  // Features are judged by what the target could speak, not by what it speaks.
  bool can_tcp_ping() const { return p_max >= 3; }
  bool can_nack() const { return p_max >= 4; }
  bool can_crc() const { return p_max >= 5; }

  friend auto operator<=>(const Vsn&, const Vsn&) = default;
};
// Of a member that announced none.
inline constexpr Vsn kNoVsn{0, 0, 0, 0, 0, 0};

// "protocol [1, 5], delegate protocol [2, 5]".
std::string ranges_of(const Vsn& vsn);

// One member for check_versions.
struct VersionRow {
  std::string_view name;
  Vsn vsn;
  bool alive = true;
};

// memberlist verifyProtocol: the ranges of all alive members, intersected, must hold what each
// member (alive or not) speaks. On failure a sentence for the log, with both ranges; a failed push/
// pull changes nothing.
Result<void, std::string> check_versions(std::span<const VersionRow> rows);

}  // namespace ginnel::swim
