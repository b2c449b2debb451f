// What a hub does with a packet for somebody else: check, charge, rewrite, send on
// (docs/wire/ginnel.md section 4).
//
//   RelayTable table(1024);
//   table.add(now, {.index = index, .key = key, .path = kSocket, .to = endpoint});
//   if (const auto transmit = table.forward(now, packet)) outbox.commit(*transmit);
//
// forward(): 1. header  2. hops  3. source  4. tag  5. quota  6. destination  7. hops and tag
// rewritten for the destination. Whatever fails is counted and answered by nothing.
//
// Belongs to one thread, the one that forwards; changes reach it through that thread's queue.
// Allocates in its constructor only.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "base/core.h"
#include "proto/relay/token_bucket.h"
#include "proto/relay/wire.h"

namespace ginnel::relay {

// A node that is registered at this hub.
struct Attachment {
  Index index;           // from IndexAllocator
  crypto::SipKey key{};  // of its session with the hub
  PathId path;           // where packets for it go
  Endpoint to;
  Quota quota;  // of what it sends
};

// What one node had relayed, in payload bytes.
struct Traffic {
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t over_quota_packets = 0;
};

class RelayTable {
 public:
  // As many places as an IndexAllocator for the same number has.
  explicit RelayTable(std::size_t peers_max);

  // Replaces whoever has the index's place. Index 0 is ignored.
  void add(Instant now, const Attachment& attachment);
  // Only an authenticated packet moves a node. False: nobody has this index.
  bool move(Index index, PathId path, const Endpoint& to);
  void remove(Index index);

  // Rewrites the packet in place and says where it goes (transmit.size = packet.size()).
  Result<Transmit, Drop> forward(Instant now, Bytes packet);

  // nullopt: nobody has this index.
  std::optional<Traffic> traffic(Index index) const;
  std::uint64_t dropped(Drop why) const { return drops_[static_cast<std::size_t>(why)]; }

 private:
  struct Place {
    Index index;  // 0: free
    crypto::SipKey key{};
    PathId path;
    Endpoint to;
    TokenBucket bucket;
    Traffic traffic;
  };
  Place* find(Index index);
  const Place* find(Index index) const;
  // The checks of steps 1 to 5.
  Result<Place*, Drop> admit(Instant now, ConstBytes packet, const Header& header);
  Fail<Drop> drop(Drop why);

  std::vector<Place> places_;  // a power of two; index modulo size
  std::array<std::uint64_t, static_cast<std::size_t>(Drop::kCount)> drops_{};
};

}  // namespace ginnel::relay
