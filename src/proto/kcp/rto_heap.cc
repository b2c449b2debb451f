#include "proto/kcp/rto_heap.h"

#include "base/assert.h"

namespace ginnel::kcp {

void RtoHeap::push(Sn sn, Instant at) {
  GINNEL_ASSERT(segments_.at(sn).heap_position == OutSegment::kNotInHeap);
  entries_.emplace_back();
  sift_up(entries_.size() - 1, {at, sn});
}

void RtoHeap::remove(Sn sn) {
  const std::size_t position = segments_.at(sn).heap_position;
  if (position == OutSegment::kNotInHeap) return;
  segments_.at(sn).heap_position = OutSegment::kNotInHeap;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (position == entries_.size()) return;
  const bool rises = position > 0 && last.at < entries_[(position - 1) / 2].at;
  rises ? sift_up(position, last) : sift_down(position, last);
}

std::optional<Sn> RtoHeap::take_expired(Instant now) {
  if (entries_.empty() || entries_.front().at > now) return std::nullopt;
  const Sn sn = entries_.front().sn;
  remove(sn);
  return sn;
}

void RtoHeap::place(std::size_t position, const Entry& entry) {
  entries_[position] = entry;
  segments_.at(entry.sn).heap_position = static_cast<std::uint32_t>(position);
  ++steps_;
}

void RtoHeap::sift_up(std::size_t position, const Entry& entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!(entry.at < entries_[parent].at)) break;
    place(position, entries_[parent]);
    position = parent;
  }
  place(position, entry);
}

void RtoHeap::sift_down(std::size_t position, const Entry& entry) {
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= entries_.size()) break;
    if (child + 1 < entries_.size() && entries_[child + 1].at < entries_[child].at) ++child;
    if (!(entries_[child].at < entry.at)) break;
    place(position, entries_[child]);
    position = child;
  }
  place(position, entry);
}

}  // namespace ginnel::kcp
