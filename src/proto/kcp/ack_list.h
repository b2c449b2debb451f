// The acknowledgements owed to the peer. Those made ready by a flush may leave; later ones wait for
// the next flush.
#pragma once
#include <algorithm>
#include <vector>

#include "proto/kcp/wire.h"

namespace ginnel::kcp {

struct Ack {
  Sn sn;
  Timestamp ts;  // the echo
};

class AckList {
 public:
  explicit AckList(std::size_t acks_max) : acks_max_(acks_max) {}

  // False: full, and the peer has to send the segment again to learn that it arrived.
  bool push(Ack ack) {
    if (acks_.size() - sent_ >= acks_max_) return false;
    acks_.push_back(ack);
    return true;
  }
  // A C sender (ikcp.c, FASTACK_CONSERVE) counts a datagram's ACKs with equal ts only up to the
  // first one's sn. With the largest sn first it counts them all.
  void make_ready(bool newest_first) {
    acks_.erase(acks_.begin(), acks_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
    ready_ = acks_.size();
    if (newest_first) std::ranges::sort(acks_, [](Ack a, Ack b) { return a.sn > b.sn; });
  }
  // The next ready one; nullptr: none.
  const Ack* next() const { return sent_ < ready_ ? &acks_[sent_] : nullptr; }
  void pop() { ++sent_; }
  bool empty() const { return sent_ == acks_.size(); }
  std::size_t size() const { return acks_.size() - sent_; }

 private:
  std::size_t acks_max_;
  std::vector<Ack> acks_;
  std::size_t sent_ = 0;   // of the front, already gone
  std::size_t ready_ = 0;  // sent_ <= ready_ <= acks_.size()
};

}  // namespace ginnel::kcp
