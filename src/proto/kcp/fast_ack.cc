#include "proto/kcp/fast_ack.h"

namespace ginnel::kcp {

void FastAck::sent(Sn sn) {
  OutSegment& segment = segments_.at(sn);
  if (threshold_ == 0) return;
  if (!timeout_keeps_count_) segment.fastack = 0;
  // ikcp_flush: a fast resend only while xmit <= fastlimit; after that the count has no effect.
  if (xmit_limit_ > 0 && segment.xmit > xmit_limit_) return forget(sn);
  if (segment.list == FastList::kPending && timeout_keeps_count_) return;
  forget(sn);
  append(sn, segment.xmit == 1 ? FastList::kFresh : FastList::kResent);
}

void FastAck::forget(Sn sn) {
  OutSegment& segment = segments_.at(sn);
  if (segment.list == FastList::kNone) return;
  List& from = list(segment.list);
  if (from.head == sn) {
    from.head = segment.next;
  } else {
    segments_.at(segment.previous).next = segment.next;
  }
  if (from.tail == sn) {
    from.tail = segment.previous;
  } else {
    segments_.at(segment.next).previous = segment.previous;
  }
  --from.size;
  segment.list = FastList::kNone;
}

void FastAck::pass(Sn sn, Timestamp ts) {
  Sn at = fresh_.head;
  for (std::size_t left = fresh_.size; left > 0; --left) {
    const OutSegment& segment = segments_.at(at);
    if (at >= sn || segment.ts > ts) break;
    const Sn next = segment.next;
    count(at);
    at = next;
  }
  at = resent_.head;
  for (std::size_t left = resent_.size; left > 0; --left) {
    const OutSegment& segment = segments_.at(at);
    if (segment.ts > ts) break;
    const Sn next = segment.next;
    at < sn ? count(at) : void(++steps_);
    at = next;
  }
}

FastAck::List& FastAck::list(FastList which) {
  return which == FastList::kFresh ? fresh_ : which == FastList::kResent ? resent_ : pending_;
}

void FastAck::append(Sn sn, FastList which) {
  List& to = list(which);
  OutSegment& segment = segments_.at(sn);
  segment.list = which;
  segment.previous = to.tail;
  if (to.size == 0) {
    to.head = sn;
  } else {
    segments_.at(to.tail).next = sn;
  }
  to.tail = sn;
  ++to.size;
}

void FastAck::count(Sn sn) {
  ++steps_;
  if (++segments_.at(sn).fastack < threshold_) return;
  forget(sn);
  append(sn, FastList::kPending);
}

}  // namespace ginnel::kcp
