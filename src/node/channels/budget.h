// How many bytes all channels of one node may hold together (64 MiB by default): messages
// sent and not known to have arrived, and messages arriving or not taken yet. Beside it a receiver
// holds what KCP's windows let in, 1 MiB a lane, and each session its control lane.
//
// Shared by reference; belongs to the node's thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>

#include "proto/control/lane.h"

namespace ginnel::node {

// What sends leave free: the largest message can always arrive, so that two nodes that are full of
// messages for each other do not wait for each other for ever.
inline constexpr std::size_t kReceiveReserveBytes =
    control::kMessageBytesMax + control::kMessageHeaderBytes;

class Budget {
 public:
  explicit Budget(std::size_t limit_bytes, std::size_t receive_reserve_bytes = kReceiveReserveBytes)
      : limit_(limit_bytes), reserve_(std::min(receive_reserve_bytes, limit_bytes)) {}

  // False: it would exceed the limit, and nothing was charged; take_freed() follows.
  bool try_charge_send(std::size_t bytes) {
    if (bytes > send_room()) return refuse();
    sends_ += bytes;
    return true;
  }
  bool try_charge_receive(std::size_t bytes) {
    if (bytes > limit_ - used()) return refuse();
    receives_ += bytes;
    return true;
  }
  void release_send(std::size_t bytes) { release(sends_, bytes); }
  void release_receive(std::size_t bytes) { release(receives_, bytes); }

  std::size_t used() const { return sends_ + receives_; }
  std::size_t send_room() const {
    return std::min(limit_ - used(), limit_ - reserve_ - std::min(sends_, limit_ - reserve_));
  }
  // Somebody waits for room who did not ask by a charge.
  void note_refused() { refused_ = true; }
  // Once: something was refused, and room came since. Whoever waits is to be asked again.
  bool take_freed() { return std::exchange(freed_, false); }

 private:
  bool refuse() {
    note_refused();
    return false;
  }
  void release(std::size_t& account, std::size_t bytes) {
    account -= std::min(bytes, account);
    if (bytes > 0 && std::exchange(refused_, false)) freed_ = true;
  }

  std::size_t limit_;
  std::size_t reserve_;
  std::size_t sends_ = 0;     // at most limit_ - reserve_
  std::size_t receives_ = 0;  // sends_ + receives_ <= limit_
  bool refused_ = false;
  bool freed_ = false;
};

}  // namespace ginnel::node
