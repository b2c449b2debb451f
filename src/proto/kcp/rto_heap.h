// The retransmission deadlines of all segments in flight: a binary heap whose entries know their
// place, so that an acknowledged segment leaves in O(log n) and nothing stale stays behind.
#pragma once
#include <optional>
#include <vector>

#include "proto/kcp/out_segment.h"

namespace ginnel::kcp {

class RtoHeap {
 public:
  explicit RtoHeap(OutSegments& segments) : segments_(segments) {}

  // `sn` is in no heap yet.
  void push(Sn sn, Instant at);
  void remove(Sn sn);  // nothing if it is not there
  std::optional<Sn> take_expired(Instant now);
  std::optional<Instant> next() const {
    return entries_.empty() ? std::nullopt : std::optional(entries_.front().at);
  }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t steps() const { return steps_; }  // entries moved, for tests of cost

 private:
  struct Entry {
    Instant at;
    Sn sn;
  };
  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, const Entry& entry);
  void sift_down(std::size_t position, const Entry& entry);

  OutSegments& segments_;
  std::vector<Entry> entries_;  // segments_[entries_[i].sn].heap_position == i
  std::uint64_t steps_ = 0;
};

}  // namespace ginnel::kcp
