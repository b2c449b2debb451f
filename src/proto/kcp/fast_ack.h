// Counts, for every segment in flight, the acknowledgements of later ones (ikcp_parse_fastack): one
// pass per datagram, `threshold` passes make it lost. The reference touches the whole send buffer
// in each pass; here a pass touches only the segments it counts.
//
// Segments sent once stand in `fresh`, where sn order is also ts order, so those a pass counts are
// a prefix. Segments sent again stand in `resent` by ts; of these a pass also looks at some that it
// does not count, at most as many as were lost twice. Who reached the threshold waits in `pending`
// and is not counted again: every segment costs at most `threshold` steps per transmission.
#pragma once
#include "proto/kcp/out_segment.h"

namespace ginnel::kcp {

class FastAck {
 public:
  FastAck(OutSegments& segments, const Config& config)
      : segments_(segments),
        threshold_(config.fast_resend),
        xmit_limit_(config.fast_resend_limit),
        timeout_keeps_count_(config.mode == Mode::kCompatible) {}

  void sent(Sn sn);    // after xmit and ts were set
  void forget(Sn sn);  // acknowledged
  // `sn` was acknowledged, the transmission it answers left at `ts`.
  void pass(Sn sn, Timestamp ts);
  // Calls lost(sn) for each pending segment in turn; it is counted from 0 again after that.
  // A segment that is already due stays pending: the reference does not forget the count when a
  // timeout comes first, and resends once more at the next flush.
  template <class OnLost>
  void take_pending(OnLost&& lost) {
    Sn sn = pending_.head;
    for (std::size_t left = pending_.size; left > 0; --left) {
      const Sn next = segments_.at(sn).next;
      if (!segments_.at(sn).due) {
        forget(sn);
        segments_.at(sn).fastack = 0;
        lost(sn);
      }
      sn = next;
    }
  }
  std::uint64_t steps() const { return steps_; }  // segments looked at, for tests of cost

 private:
  struct List {
    Sn head;
    Sn tail;
    std::size_t size = 0;  // 0: head and tail mean nothing
  };
  List& list(FastList which);
  void append(Sn sn, FastList which);
  void count(Sn sn);

  OutSegments& segments_;
  std::uint32_t threshold_;
  std::uint32_t xmit_limit_;
  bool timeout_keeps_count_;
  List fresh_;
  List resent_;
  List pending_;
  std::uint64_t steps_ = 0;
};

}  // namespace ginnel::kcp
