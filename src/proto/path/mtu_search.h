// Finds the largest IP packet that a path carries: the interface's MTU first, then 1400, then 1280
// (docs/wire/ginnel.md section 8), each tested by probes padded to it. While the path is used the
// search is repeated, since paths change under our feet and say nothing.
//
//   if (const auto size = search.take_due(now, rtt)) send_padded_probe(*size);
//   search.note_answered(now, size);  search.confirmed();
//
// Never allocates.
#pragma once
#include <algorithm>
#include <array>
#include <optional>

#include "base/instant.h"

namespace ginnel::path {

// RFC 8200 section 5: every link carries 1280 bytes. What is not confirmed is taken to be this.
inline constexpr std::size_t kMtuLeastBytes = 1280;

// Of an IP packet of `mtu_bytes`, what is left for an inner one. WireGuard pads to 16 bytes: it
// fills the packet exactly, not one byte over.
constexpr std::size_t inner_bytes(std::size_t mtu_bytes, std::size_t overhead_bytes) {
  return (std::max(mtu_bytes, kMtuLeastBytes) - overhead_bytes) / 16 * 16;
}

class MtuSearch {
 public:
  static constexpr int kTries = 3;  // lost ones are no proof that the size is too large
  static constexpr int kTriesOfConfirmed = 5;
  static constexpr Nanoseconds kTryEvery = 250ms;  // and no less than the path's round trip
  static constexpr Nanoseconds kRecheckEvery = 10s;

  // `mtu_bytes`: the outgoing interface's.
  explicit MtuSearch(std::size_t mtu_bytes) : sizes_{mtu_bytes, 1400, kMtuLeastBytes} {}

  void start(Instant now) {
    step_ = 0;
    while (step_ + 1 < sizes_.size() && sizes_[step_] <= sizes_[step_ + 1]) ++step_;
    begin_step(now);
  }
  void stop() { next_.reset(); }
  // The path carries data: searches again when the last answer is old.
  void note_used(Instant now) {
    if (settled_at_ && now - *settled_at_ >= kRecheckEvery && !running()) start(now);
  }
  bool running() const { return next_.has_value(); }
  // A search has ended: confirmed() is more than an assumption.
  bool is_settled() const { return settled_at_.has_value(); }
  std::optional<Instant> next() const { return next_; }

  // The size to probe now. After the tries of the smallest one the search ends there.
  std::optional<std::size_t> take_due(Instant now, std::optional<Nanoseconds> rtt) {
    if (!next_ || *next_ > now) return std::nullopt;
    const int tries_max = sizes_[step_] == confirmed_ ? kTriesOfConfirmed : kTries;
    if (tries_ == tries_max && !lower(now)) return std::nullopt;
    ++tries_;
    next_ = now + std::max(kTryEvery, rtt.value_or(0ns) * 2);
    return sizes_[step_];
  }
  // A probe of this size was answered: larger ones are over, the search ends.
  void note_answered(Instant now, std::size_t mtu_bytes) {
    if (mtu_bytes < sizes_[step_] && running()) return;
    confirmed_ = std::max(confirmed_, mtu_bytes);
    settle(now);
  }
  // Packets of `mtu_bytes` and more do not get through after all: EMSGSIZE, packet too big, or
  // full-size packets that vanish.
  void note_too_large(Instant now, std::size_t mtu_bytes) {
    if (confirmed_ >= mtu_bytes) confirmed_ = 0;
    // One answer of the kernel stands for many packets: a search that is past the size goes on.
    if (running() && sizes_[step_] < mtu_bytes) return;
    while (step_ + 1 < sizes_.size() && sizes_[step_] >= mtu_bytes) ++step_;
    begin_step(now);
  }

  // Bytes of an IP packet; kMtuLeastBytes until a larger one is confirmed.
  std::size_t confirmed() const { return std::max(confirmed_, kMtuLeastBytes); }

 private:
  void begin_step(Instant now) {
    tries_ = 0;
    next_ = now;
  }
  void settle(Instant now) {
    settled_at_ = now;
    stop();
  }
  bool lower(Instant now) {
    if (confirmed_ >= sizes_[step_]) confirmed_ = 0;
    if (step_ + 1 == sizes_.size()) {
      settle(now);
      return false;
    }
    ++step_;
    begin_step(now);
    return true;
  }

  std::array<std::size_t, 3> sizes_;
  std::size_t step_ = 0;
  int tries_ = 0;
  std::optional<Instant> next_;
  std::optional<Instant> settled_at_;
  std::size_t confirmed_ = 0;
};

}  // namespace ginnel::path
