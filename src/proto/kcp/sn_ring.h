// One slot per segment number, for a run of numbers that moves on: O(1) to reach any of them.
//
//   SnRing<Slot> ring;
//   ring.reserve(first, count);   // before touching first .. first + count - 1
//   ring.at(sn)
//
// Grows by doubling and never shrinks; the owner bounds `count`.
#pragma once
#include <bit>
#include <utility>
#include <vector>

#include "proto/kcp/wire.h"

namespace ginnel::kcp {

template <class T>
class SnRing {
 public:
  SnRing() : slots_(kInitialSlots) {}

  T& at(Sn sn) { return slots_[sn.value() & (slots_.size() - 1)]; }
  const T& at(Sn sn) const { return slots_[sn.value() & (slots_.size() - 1)]; }

  void reserve(Sn first, std::size_t count) {
    if (count <= slots_.size()) return;
    std::vector<T> grown(std::bit_ceil(count));
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const Sn sn = first + static_cast<std::uint32_t>(i);
      grown[sn.value() & (grown.size() - 1)] = std::move(at(sn));
    }
    slots_ = std::move(grown);
  }
  std::size_t capacity() const { return slots_.size(); }

 private:
  static constexpr std::size_t kInitialSlots = 16;  // a power of two, as every later size
  std::vector<T> slots_;
};

}  // namespace ginnel::kcp
