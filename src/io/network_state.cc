#include "io/network_state.h"

#include <algorithm>

namespace ginnel::io {
namespace {

constexpr std::uint8_t kV4Offset = 96;  // where an IPv4 address begins in the 128-bit form
// 0.0.0.0/1 and 128.0.0.0/1, 2000::/3: default routes in disguise, which VPNs add.
constexpr std::uint8_t kDefaultBitsMax = 3;

std::string name_of(InterfaceIndex index, std::span<const Interface> interfaces) {
  const auto it = std::ranges::find(interfaces, index, &Interface::index);
  return it == interfaces.end() ? "interface " + std::to_string(index.value()) : it->name;
}

}  // namespace

bool Route::is_default() const {
  const bool v4 = target.address.is_v4();
  return target.length <= (v4 ? kV4Offset : 0) + kDefaultBitsMax;
}

std::optional<RangeClash> find_clash(const Prefix& wanted, std::span<const Interface> interfaces,
                                     std::span<const InterfaceAddress> addresses,
                                     std::span<const Route> routes, InterfaceIndex except) {
  for (const InterfaceAddress& a : addresses) {
    const Prefix range = Prefix::make(a.address, a.length);
    if (a.index != except && range.overlaps(wanted)) {
      return RangeClash{range, name_of(a.index, interfaces)};
    }
  }
  for (const Route& r : routes) {
    if (!r.unicast || r.index == except || r.is_default()) continue;
    if (r.target.overlaps(wanted)) return RangeClash{r.target, name_of(r.index, interfaces)};
  }
  return std::nullopt;
}

}  // namespace ginnel::io
