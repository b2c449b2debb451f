// The reference's congestion window: it counts whether or not it limits (nc = 1), so that both ends
// of a comparison show the same state. Grows once per input, not per acknowledged segment.
#pragma once
#include <algorithm>
#include <cstdint>

namespace ginnel::kcp {

class Congestion {
 public:
  // ikcp_input, end: something new was acknowledged.
  void on_progress(std::uint32_t remote_window, std::uint32_t mss) {
    if (cwnd_ >= remote_window) return;
    if (cwnd_ < ssthresh_) {
      ++cwnd_;
      incr_ += mss;
    } else {
      incr_ = std::max(incr_, mss);
      incr_ += mss * mss / incr_ + mss / 16;
      if ((cwnd_ + 1) * mss <= incr_) cwnd_ = (incr_ + mss - 1) / mss;
    }
    if (cwnd_ <= remote_window) return;
    cwnd_ = remote_window;
    incr_ = remote_window * mss;
  }
  // ikcp_flush, end: `in_flight` is snd_nxt - snd_una.
  void on_fast_resend(std::uint32_t in_flight, std::uint32_t resend, std::uint32_t mss) {
    ssthresh_ = std::max(in_flight / 2, kThresholdMin);
    cwnd_ = ssthresh_ + resend;
    incr_ = cwnd_ * mss;
  }
  void on_timeout(std::uint32_t mss) {
    ssthresh_ = std::max(cwnd_ / 2, kThresholdMin);
    cwnd_ = 1;
    incr_ = mss;
  }
  void open(std::uint32_t mss) {
    if (cwnd_ > 0) return;
    cwnd_ = 1;
    incr_ = mss;
  }

  std::uint32_t cwnd() const { return cwnd_; }
  std::uint32_t ssthresh() const { return ssthresh_; }
  std::uint32_t incr() const { return incr_; }

 private:
  static constexpr std::uint32_t kThresholdMin = 2;  // IKCP_THRESH_MIN
  std::uint32_t cwnd_ = 0;                           // segments; at least 1 from the first flush on
  std::uint32_t ssthresh_ = kThresholdMin;
  std::uint32_t incr_ = 0;  // bytes
};

}  // namespace ginnel::kcp
