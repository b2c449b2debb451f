// Where machines can be put: sites of each NAT kind, with addresses handed out in order.
//
//   Places places(world);
//   const Site home = places.add_site(NatKind::kCgnatpair, {.wan = both({.delay = 20ms})});
//   places.put(alice, home);
//   places.put(bob, home, {.home = 1});   // the carrier's other home
//   places.put(hub, places.add_site(NatKind::kOpen), {.addresses = 2});
//
// Public IPv4: 203.0.113.2…250, then 198.18.0.0/16. Private: 192.168.1.2… at every site alike, so
// that the wrong host can answer; carriers use 100.64.0.0/10. IPv6: 2001:db8:SITE::HOST.
#pragma once
#include <vector>

#include "sim/nat_config.h"
#include "sim/world.h"

namespace ginnel::sim {

struct SiteOptions {
  LinkPair wan;           // of the site's box; of each machine where there is no box
  LinkPair home_wan;      // between a home's box and its carrier
  LinkPair lan;           // of each machine behind a box
  bool v6 = false;        // machines have an IPv6 address too
  std::size_t homes = 2;  // of kCgnatpair
};

struct Site {
  NatKind kind = NatKind::kOpen;
  std::uint16_t number = 0;
  SiteOptions options;
  std::vector<BoxId> homes;  // empty for kOpen
  std::optional<BoxId> carrier;
};

struct Spot {
  std::size_t home = 0;       // index in Site::homes
  std::size_t addresses = 1;  // IPv4 ones
};

class Places {
 public:
  explicit Places(World& world) : world_(world) {}

  Site add_site(NatKind kind, const SiteOptions& options = {});
  // The same with boxes of one's own.
  Site add_site(const NatConfig& home, const SiteOptions& options = {});
  AttachmentId put(MachineId machine, const Site& site, const Spot& spot = {});
  Address next_public();

 private:
  BoxId add_box(const NatConfig& nat, const LanOptions& options);

  World& world_;
  std::uint32_t public_ = 0;  // addresses handed out
  std::uint16_t sites_ = 0;
  std::vector<std::uint8_t> in_zone_;  // private addresses handed out, by zone
  std::uint16_t v6_hosts_ = 0;
};

}  // namespace ginnel::sim
