// Asks a peer whose window is closed whether it opened, since its unasked answer may be lost.
#pragma once
#include <algorithm>
#include <optional>

#include "proto/kcp/config.h"

namespace ginnel::kcp {

class WindowProbe {
 public:
  explicit WindowProbe(const Config& config)
      : first_(config.probe_first), limit_(config.probe_limit) {}

  // At each flush. True: ask now. `closed`: the peer's window is zero and the answer matters.
  bool flush(Instant now, bool closed) {
    if (!closed) {
      at_.reset();
      return false;
    }
    if (!at_) {
      wait_ = first_;
      at_ = now + wait_;
      return false;
    }
    if (now < *at_) return false;
    wait_ = std::min(wait_ + wait_ / 2, limit_);
    at_ = now + wait_;
    return true;
  }
  std::optional<Instant> next() const { return at_; }

 private:
  Milliseconds first_;
  Milliseconds limit_;
  Milliseconds wait_{0};
  std::optional<Instant> at_;  // set while the window is closed
};

}  // namespace ginnel::kcp
