// Hands out relay indices at a hub: control's side of the relay, apart from the RelayTable, which
// belongs to the forwarding thread.
//
//   IndexAllocator indices(1024, rng.fork("relay"));
//   const auto index = indices.allocate();   // goes to the node in REGISTERED
//   indices.release(*index);                 // when its session is over
//
// An index is a place in the RelayTable (its low bits) and how often that place has been given away
// (the rest), starting anywhere. Places are reused in the order in which they became free, so an
// old index keeps meaning nobody for as long as can be: at least 256 owners of its place.
// Allocates in its constructor only.
#pragma once
#include <optional>
#include <vector>

#include "base/rng.h"
#include "proto/relay/wire.h"

namespace ginnel::relay {

inline constexpr std::size_t kPlacesMax = 65536;  // nodes at one hub

class IndexAllocator {
 public:
  // `peers_max` is rounded up to a power of two, at most kPlacesMax.
  IndexAllocator(std::size_t peers_max, Rng rng);

  // nullopt: peers_max are given away.
  std::optional<Index> allocate();
  // An index that is not given away is ignored.
  void release(Index index);

  std::size_t places() const { return generations_.size(); }
  std::size_t free_count() const { return free_count_; }

 private:
  std::uint32_t place_of(Index index) const;
  Index index_at(std::uint32_t place) const;

  std::vector<std::uint32_t> generations_;  // of each place: the one to be given, or given now
  std::vector<bool> taken_;
  std::vector<std::uint32_t> queue_;  // ring of the free places, in the order of their release
  std::size_t first_ = 0;             // of queue_
  std::size_t free_count_ = 0;
};

// How many places a table for so many nodes has.
std::size_t places_for(std::size_t peers_max);

}  // namespace ginnel::relay
