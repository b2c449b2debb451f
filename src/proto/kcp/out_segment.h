// A segment on its way out: waiting for the window, then in flight. Its bytes stand in a ByteRing.
#pragma once
#include "proto/kcp/config.h"
#include "proto/kcp/sn_ring.h"

namespace ginnel::kcp {

// Where a segment stands in the counting of later acknowledgements (see fast_ack.h).
enum class FastList : std::uint8_t { kNone, kFresh, kResent, kPending };

struct OutSegment {
  static constexpr std::uint32_t kNotInHeap = 0xffffffff;

  std::uint64_t offset = 0;  // of its first byte in the stream of all sent bytes
  std::uint32_t size = 0;
  std::uint8_t frg = 0;
  bool acked = false;  // by its own ACK, before una passed it
  bool due = false;    // waits to be sent again; then in no heap
  FastList list = FastList::kNone;
  Timestamp ts;            // of the last transmission
  Milliseconds rto{0};     // grows with each timeout
  std::uint32_t xmit = 0;  // transmissions
  std::uint32_t fastack = 0;
  Sn previous;  // neighbours in `list`; the ends have none
  Sn next;
  std::uint32_t heap_position = kNotInHeap;
};

using OutSegments = SnRing<OutSegment>;

}  // namespace ginnel::kcp
