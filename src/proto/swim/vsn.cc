#include "proto/swim/vsn.h"

#include <algorithm>

namespace ginnel::swim {
namespace {

struct Range {
  std::uint8_t min = 0;
  std::uint8_t max = 255;
  void narrow(std::uint8_t low, std::uint8_t high) {
    min = std::max(min, low);
    max = std::min(max, high);
  }
  bool holds(std::uint8_t v) const { return min <= v && v <= max; }
  std::string text() const { return "[" + std::to_string(min) + ", " + std::to_string(max) + "]"; }
};

Fail<std::string> incompatible(const VersionRow& row, std::string_view what, std::uint8_t speaks,
                               const Range& all) {
  return Fail("member \"" + std::string(row.name) + "\" speaks " + std::string(what) + " " +
              std::to_string(speaks) + " (it can: " + ranges_of(row.vsn) + "), all together can " +
              all.text());
}

}  // namespace

std::optional<Vsn> Vsn::from_wire(ConstBytes bytes) {
  if (bytes.size() != kBytes) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
  return Vsn{at(0), at(1), at(2), at(3), at(4), at(5)};
}

std::array<std::byte, Vsn::kBytes> Vsn::wire() const {
  return {std::byte{p_min}, std::byte{p_max}, std::byte{p_cur},
          std::byte{d_min}, std::byte{d_max}, std::byte{d_cur}};
}

std::string ranges_of(const Vsn& vsn) {
  return "protocol " + Range{vsn.p_min, vsn.p_max}.text() + ", delegate protocol " +
         Range{vsn.d_min, vsn.d_max}.text();
}

Result<void, std::string> check_versions(std::span<const VersionRow> rows) {
  Range protocol;
  Range delegate;
  for (const VersionRow& row : rows) {
    if (!row.alive || row.vsn == kNoVsn) continue;
    protocol.narrow(row.vsn.p_min, row.vsn.p_max);
    delegate.narrow(row.vsn.d_min, row.vsn.d_max);
  }
  for (const VersionRow& row : rows) {
    if (row.vsn == kNoVsn) continue;
    if (!protocol.holds(row.vsn.p_cur)) {
      return incompatible(row, "protocol", row.vsn.p_cur, protocol);
    }
    if (!delegate.holds(row.vsn.d_cur)) {
      return incompatible(row, "delegate protocol", row.vsn.d_cur, delegate);
    }
  }
  return {};
}

}  // namespace ginnel::swim
