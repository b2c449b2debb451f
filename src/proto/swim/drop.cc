#include "proto/swim/drop.h"

#include <array>

namespace ginnel::swim {

std::string_view name_of(Drop drop) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(Drop::kCount)> kTexts{
      "too short",        "malformed",    "empty message", "unknown message type",
      "nested too deeply", "too large",   "bad checksum",  "bad compression",
      "wrong label",      "not encrypted", "encrypted, but no key here", "no key opens it",
      "bad version",      "bad address",  "not for us",    "unknown member",
      "unmatched answer", "queue full",   "table full",    "not admitted"};
  return drop < Drop::kCount ? kTexts[static_cast<std::size_t>(drop)] : "";
}

}  // namespace ginnel::swim
