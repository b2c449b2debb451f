// What kind of NAT a node is behind, in the words of RFC 4787 and of `status` (`nat.mapping`,
// `nat.filtering`).
#pragma once
#include <cstdint>
#include <string_view>

namespace ginnel::stun {

// RFC 4787 section 4.1: what the outside address of a flow depends on. The numbers are on the wire.
enum class Mapping : std::uint8_t {
  kUnknown,
  kNone,  // no translation
  kEim,   // endpoint-independent
  kAdm,   // address-dependent
  kApdm,  // address- and port-dependent
};

// RFC 4787 section 5: who may send to that address.
enum class Filtering : std::uint8_t {
  kUnknown,
  kNone,  // not measured by Binding requests; for a node that knows it from elsewhere
  kEif,   // anyone
  kAdf,   // any port of an address that was sent to
  kApdf,  // only what was sent to
};

inline constexpr std::uint8_t kMappingLast = 4;
inline constexpr std::uint8_t kFilteringLast = 4;

struct NatClass {
  Mapping mapping = Mapping::kUnknown;
  Filtering filtering = Filtering::kUnknown;
  friend bool operator==(const NatClass&, const NatClass&) = default;
};

constexpr bool is_symmetric(Mapping mapping) {
  return mapping == Mapping::kAdm || mapping == Mapping::kApdm;
}

// "none", "eim", "adm", "apdm", "unknown".
constexpr std::string_view mapping_name(Mapping mapping) {
  switch (mapping) {
    case Mapping::kNone:
      return "none";
    case Mapping::kEim:
      return "eim";
    case Mapping::kAdm:
      return "adm";
    case Mapping::kApdm:
      return "apdm";
    case Mapping::kUnknown:
      break;
  }
  return "unknown";
}
// "none", "eif", "adf", "apdf", "unknown".
constexpr std::string_view filtering_name(Filtering filtering) {
  switch (filtering) {
    case Filtering::kNone:
      return "none";
    case Filtering::kEif:
      return "eif";
    case Filtering::kAdf:
      return "adf";
    case Filtering::kApdf:
      return "apdf";
    case Filtering::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace ginnel::stun
