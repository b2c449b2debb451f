// What happens next. Events at one instant happen in the order in which they were added, so a run
// depends on the seed alone.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/instant.h"

namespace ginnel::sim {

enum class EventKind : std::uint8_t {
  kPacket,  // subject: index in the packet pool
  kWake,    // subject: the machine whose host may have a timeout
  kCall,    // subject: index of a scheduled call
};

struct Event {
  Instant at;
  std::uint64_t sequence = 0;  // set by the queue
  std::uint32_t subject = 0;
  EventKind kind = EventKind::kPacket;
};

// A heap with four children per node: half the depth of a binary one, and all four are near each
// other in memory.
class EventQueue {
 public:
  void add(Instant at, EventKind kind, std::uint32_t subject) {
    Event event{at, next_sequence_++, subject, kind};
    heap_.push_back(event);
    std::size_t hole = heap_.size() - 1;
    for (; hole > 0 && before(event, heap_[(hole - 1) / kChildren]);
         hole = (hole - 1) / kChildren) {
      heap_[hole] = heap_[(hole - 1) / kChildren];
    }
    heap_[hole] = event;
  }

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // Not when empty.
  Instant next_at() const { return heap_.front().at; }

  // Not when empty.
  Event take() {
    const Event first = heap_.front();
    const Event last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(last);
    return first;
  }

 private:
  static constexpr std::size_t kChildren = 4;

  static bool before(const Event& a, const Event& b) {
    return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
  }

  // Puts `event` where it belongs below the root, which is free.
  void sink(const Event& event) {
    std::size_t hole = 0;
    for (;;) {
      const std::size_t first = hole * kChildren + 1;
      if (first >= heap_.size()) break;
      std::size_t best = first;
      const std::size_t end = std::min(first + kChildren, heap_.size());
      for (std::size_t child = first + 1; child < end; ++child) {
        if (before(heap_[child], heap_[best])) best = child;
      }
      if (!before(heap_[best], event)) break;
      heap_[hole] = heap_[best];
      hole = best;
    }
    heap_[hole] = event;
  }

  std::vector<Event> heap_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace ginnel::sim
