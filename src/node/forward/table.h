// What the forwarding threads know: whither a packet goes, and whose a received one is. Control
// builds a table and publishes it; nothing in it changes afterwards (publication.h).
//
//   ForwardingTable table({.destinations = …, .routes = …, .origins = …});
//   if (const Destination* to = table.route(address)) …
//   if (const Origin* from = table.origin(index)) …
//
// A table borrows its key pairs: they are retired after the last table that names them.
// Lookups never allocate; any thread.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "node/forward/range_map.h"
#include "node/forward/traffic.h"
#include "proto/relay/wire.h"
#include "proto/wg/cookie.h"
#include "proto/wg/key_pair.h"

namespace ginnel::forward {

// Of an inner packet: what a send (sealed_batch.h) holds with all our headers.
inline constexpr std::size_t kMtuBytesMax = 65'000;
// RFC 8200 section 5: no IPv6 link has less.
inline constexpr std::size_t kIpv6MtuBytesMin = 1280;

// Through a hub: the 16 bytes in front (docs/wire/ginnel.md section 4).
struct RelayVia {
  relay::Index own;
  relay::Index destination;
  crypto::SipKey key{};
};

// A peer that packets can go to.
struct Destination {
  wg::PeerHandle peer;
  wg::KeyPair* key_pair = nullptr;  // null: packets go to control, which begins a handshake
  Endpoint to;                      // of the peer, or of the hub
  Address source;                   // unspecified: the kernel chooses
  std::optional<RelayVia> relay;
  std::size_t mtu_bytes = 1392;  // largest inner packet that this path carries
  // False: an assumption, while the path is searched. Nobody is told then, since hosts remember a
  // packet-too-big for minutes: what is larger goes in fragments.
  bool mtu_is_known = true;
  bool slow = false;             // under repair, or on a stream: packets go to control
  bool takes_frames = true;      // false: a stock WireGuard peer, which knows no FRAGMENT
  // Shared with the tables before and after, and with control.
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
};

// A key pair that packets come under.
struct Origin {
  wg::KeyPair* key_pair = nullptr;  // never null
  wg::PeerHandle peer;
  wg::Route expected;       // where its packets come from; others are reported
  bool ip_allowed = false;  // both certificates are accepted, or it is a stock peer
  bool takes_frames = true;
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
};

// A hub at which we are registered, so that packets for us come through it.
struct RelayAttachment {
  relay::Index own;
  crypto::SipKey key{};
  PathId path;  // packets through it are reported as from {path, v4(source index)}
};

struct ForwardingRoute {
  Prefix prefix;
  std::size_t destination = 0;  // index into destinations
};

struct TableContents {
  std::vector<Destination> destinations{};
  std::vector<ForwardingRoute> routes{};  // of two equal prefixes the later one counts
  std::vector<Origin> origins{};
  std::vector<Address> own_addresses{};  // never routed to a peer, whatever prefix covers them
  std::vector<RelayAttachment> attachments{};
};

class ForwardingTable {
 public:
  explicit ForwardingTable(TableContents contents = {});
  ForwardingTable(const ForwardingTable&) = delete;
  ForwardingTable& operator=(const ForwardingTable&) = delete;

  // The longest prefix that holds the address; null: none.
  const Destination* route(const Address& address) const;
  const Origin* origin(wg::ReceiverIndex index) const;
  std::span<const RelayAttachment> attachments() const { return contents_.attachments; }
  std::span<const Destination> destinations() const { return contents_.destinations; }

 private:
  __extension__ using Key6 = unsigned __int128;
  static Key6 key6(const Address& address);
  void build_routes();
  void build_origins();

  TableContents contents_;
  RangeMap<std::uint32_t> v4_;
  RangeMap<Key6> v6_;
  // Open addressing by the index itself, which is random: at most half full, a power of two.
  std::vector<std::uint32_t> slots_;  // place in origins, plus 1; 0: empty
};

}  // namespace ginnel::forward
