#include "node/gossip/ring.h"

#include <iterator>

namespace ginnel::node {
namespace {

// Walks once around, from `at` on, until enough are found.
template <class Iterator>
void collect(Iterator at, Iterator begin, Iterator end, const Id& self,
             const std::function<bool(const Peer&)>& counts, std::set<Id>& out) {
  std::size_t found = 0;
  for (auto left = std::distance(begin, end); left > 0 && found < kRingNeighbours; --left) {
    if (at == end) at = begin;
    const auto& [id, peer] = *at++;
    if (id == self || id.is_hub() || !counts(peer)) continue;
    out.insert(id);
    ++found;
  }
}

}  // namespace

std::set<Id> neighbours_of(const Id& self, const std::map<Id, Peer>& peers,
                           const std::function<bool(const Peer&)>& counts) {
  std::set<Id> out;
  if (self.is_hub()) return out;
  collect(peers.upper_bound(self), peers.begin(), peers.end(), self, counts, out);
  const auto before = std::make_reverse_iterator(peers.lower_bound(self));
  collect(before, peers.rbegin(), peers.rend(), self, counts, out);
  return out;
}

}  // namespace ginnel::node
