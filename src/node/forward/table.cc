#include "node/forward/table.h"

#include <bit>

#include "base/assert.h"

namespace ginnel::forward {
namespace {

constexpr std::uint8_t kV4PrefixBits = 96;  // of a v4-mapped address

}  // namespace

ForwardingTable::ForwardingTable(TableContents contents) : contents_(std::move(contents)) {
  for (Destination& destination : contents_.destinations) {
    destination.mtu_bytes = std::min(destination.mtu_bytes, kMtuBytesMax);
    GINNEL_ASSERT(destination.traffic != nullptr);
  }
  build_routes();
  build_origins();
}

ForwardingTable::Key6 ForwardingTable::key6(const Address& address) {
  Key6 out = 0;
  for (const std::uint8_t byte : address.bytes) out = out << 8 | byte;
  return out;
}

void ForwardingTable::build_routes() {
  std::vector<RangeMap<std::uint32_t>::Entry> v4;
  std::vector<RangeMap<Key6>::Entry> v6;
  const auto add = [&](const Prefix& prefix, std::uint32_t value) {
    if (prefix.address.is_v4() && prefix.length >= kV4PrefixBits) {
      const std::uint32_t first = prefix.address.v4_value();
      const int host_bits = 128 - prefix.length;
      const std::uint64_t size = std::uint64_t{1} << host_bits;
      v4.push_back({first, static_cast<std::uint32_t>(first + (size - 1)), value});
    } else {
      const Key6 first = key6(prefix.address);
      const Key6 hosts = prefix.length == 0 ? ~Key6{0} : (Key6{1} << (128 - prefix.length)) - 1;
      v6.push_back({first, first | hosts, value});
    }
  };
  for (const ForwardingRoute& route : contents_.routes) {
    GINNEL_ASSERT(route.destination < contents_.destinations.size());
    add(route.prefix, static_cast<std::uint32_t>(route.destination));
  }
  for (const Address& own : contents_.own_addresses) {
    add(Prefix::host(own), RangeMap<std::uint32_t>::kNothing);
  }
  v4_ = RangeMap<std::uint32_t>(std::move(v4));
  v6_ = RangeMap<Key6>(std::move(v6));
}

void ForwardingTable::build_origins() {
  slots_.assign(std::bit_ceil(2 * contents_.origins.size() + 1), 0);
  for (std::size_t i = 0; i < contents_.origins.size(); ++i) {
    GINNEL_ASSERT(contents_.origins[i].key_pair != nullptr);
    GINNEL_ASSERT(contents_.origins[i].traffic != nullptr);
    std::size_t at = contents_.origins[i].key_pair->local_index().value() & (slots_.size() - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

const Destination* ForwardingTable::route(const Address& address) const {
  const std::uint32_t found =
      address.is_v4() ? v4_.find(address.v4_value()) : v6_.find(key6(address));
  return found == RangeMap<std::uint32_t>::kNothing ? nullptr : &contents_.destinations[found];
}

const Origin* ForwardingTable::origin(wg::ReceiverIndex index) const {
  for (std::size_t at = index.value() & (slots_.size() - 1); slots_[at] != 0;
       at = (at + 1) & (slots_.size() - 1)) {
    const Origin& origin = contents_.origins[slots_[at] - 1];
    if (origin.key_pair->local_index() == index) return &origin;
  }
  return nullptr;
}

}  // namespace ginnel::forward
