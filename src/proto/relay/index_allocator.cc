#include "proto/relay/index_allocator.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace ginnel::relay {

std::size_t places_for(std::size_t peers_max) {
  return std::bit_ceil(std::clamp<std::size_t>(peers_max, 1, kPlacesMax));
}

IndexAllocator::IndexAllocator(std::size_t peers_max, Rng rng)
    : generations_(places_for(peers_max)),
      taken_(generations_.size()),
      queue_(generations_.size()) {
  const std::uint32_t generations = (kIndexMax + 1) / static_cast<std::uint32_t>(places());
  for (auto& generation : generations_) {
    generation = static_cast<std::uint32_t>(rng.below(generations));
  }
  std::iota(queue_.begin(), queue_.end(), 0u);
  for (std::size_t i = queue_.size(); i > 1; --i) std::swap(queue_[i - 1], queue_[rng.below(i)]);
  free_count_ = queue_.size();
}

std::uint32_t IndexAllocator::place_of(Index index) const {
  return index.value() & static_cast<std::uint32_t>(places() - 1);
}

Index IndexAllocator::index_at(std::uint32_t place) const {
  const auto index = generations_[place] * static_cast<std::uint32_t>(places()) + place;
  return Index(index & kIndexMax);  // generations wrap
}

std::optional<Index> IndexAllocator::allocate() {
  if (free_count_ == 0) return std::nullopt;
  const std::uint32_t place = queue_[first_];
  first_ = (first_ + 1) % queue_.size();
  --free_count_;
  taken_[place] = true;
  if (index_at(place) == Index(0)) ++generations_[place];  // 0 is nobody
  return index_at(place);
}

void IndexAllocator::release(Index index) {
  const std::uint32_t place = place_of(index);
  if (!taken_[place] || index_at(place) != index) return;
  taken_[place] = false;
  ++generations_[place];
  queue_[(first_ + free_count_) % queue_.size()] = place;
  ++free_count_;
}

}  // namespace ginnel::relay
