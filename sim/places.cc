#include "sim/places.h"

#include "base/assert.h"
#include "base/writer.h"

namespace ginnel::sim {
namespace {

constexpr std::uint32_t kInDocumentationNet = 249;  // 203.0.113.2 … 203.0.113.250

Address site_v6(std::uint16_t site, std::uint16_t host) {
  Address out;
  Writer(std::as_writable_bytes(std::span(out.bytes)))
      .u16be(0x2001)
      .u16be(0x0db8)
      .u16be(site)
      .zeros(8)
      .u16be(host);
  return out;
}

}  // namespace

Address Places::next_public() {
  const std::uint32_t n = public_++;
  if (n < kInDocumentationNet) return Address::v4(203, 0, 113, static_cast<std::uint8_t>(n + 2));
  const std::uint32_t rest = n - kInDocumentationNet + 1;
  GINNEL_ASSERT(rest < 65'536);
  return Address::v4(198, 18, static_cast<std::uint8_t>(rest >> 8),
                     static_cast<std::uint8_t>(rest));
}

BoxId Places::add_box(const NatConfig& nat, const LanOptions& options) {
  const BoxId id = world_.net().add_lan(nat, options);
  in_zone_.resize(world_.net().box(id).inside.value() + 1, 1);
  return id;
}

Site Places::add_site(NatKind kind, const SiteOptions& options) {
  Site site{.kind = kind, .number = ++sites_, .options = options};
  if (kind == NatKind::kOpen) return site;
  LanOptions home{.parent = Topology::kInternet, .wan = options.wan};
  const auto carrier = carrier_box(kind);
  if (!carrier) {
    home.outside = {next_public()};
    site.homes.push_back(add_box(home_box(kind), home));
    return site;
  }
  site.carrier = add_box(*carrier, {.outside = {next_public()}, .wan = options.wan});
  home.parent = world_.net().box(*site.carrier).inside;
  home.wan = options.home_wan;
  const std::size_t homes = kind == NatKind::kCgnatpair ? options.homes : 1;
  for (std::size_t i = 0; i < homes; ++i) {
    home.outside = {Address::v4(100, 64, 0, static_cast<std::uint8_t>(i + 2))};
    site.homes.push_back(add_box(home_box(kind), home));
  }
  return site;
}

Site Places::add_site(const NatConfig& home, const SiteOptions& options) {
  Site site{.kind = NatKind::kFullcone, .number = ++sites_, .options = options};
  if (home.mapping == Mapping::kNone) site.kind = NatKind::kFirewall;
  site.homes.push_back(add_box(home, {.outside = {next_public()}, .wan = options.wan}));
  return site;
}

AttachmentId Places::put(MachineId machine, const Site& site, const Spot& spot) {
  const bool is_public = site.kind == NatKind::kOpen || site.kind == NatKind::kFirewall;
  const ZoneId zone =
      site.homes.empty() ? Topology::kInternet : world_.net().box(site.homes[spot.home]).inside;
  std::vector<Address> addresses;
  for (std::size_t i = 0; i < spot.addresses; ++i) {
    addresses.push_back(is_public ? next_public()
                                  : Address::v4(192, 168, 1, ++in_zone_[zone.value()]));
  }
  if (site.options.v6) addresses.push_back(site_v6(site.number, ++v6_hosts_));
  const LinkPair& links = site.homes.empty() ? site.options.wan : site.options.lan;
  return world_.attach(machine, zone, std::move(addresses), links);
}

}  // namespace ginnel::sim
