// Round-trip time and the retransmission timeout derived from it (ikcp.c ikcp_update_ack).
#pragma once
#include <algorithm>

#include "proto/kcp/config.h"

namespace ginnel::kcp {

class RttEstimator {
 public:
  explicit RttEstimator(const Config& config) : slack_(config.interval), rto_min_(config.rto_min) {}

  // Resent segments count too: the echo names the transmission it answers.
  void sample(Milliseconds rtt) {
    if (srtt_ == Milliseconds(0)) {
      srtt_ = rtt;
      rttval_ = rtt / 2;
    } else {
      rttval_ = (3 * rttval_ + std::chrono::abs(rtt - srtt_)) / 4;
      srtt_ = std::max((7 * srtt_ + rtt) / 8, Milliseconds(1));
    }
    rto_ = std::clamp(srtt_ + std::max(slack_, 4 * rttval_), rto_min_, kRtoMax);
  }

  Milliseconds srtt() const { return srtt_; }  // 0: nothing measured yet
  Milliseconds rttval() const { return rttval_; }
  Milliseconds rto() const { return rto_; }

 private:
  Milliseconds slack_;
  Milliseconds rto_min_;
  Milliseconds srtt_{0};
  Milliseconds rttval_{0};
  Milliseconds rto_ = kRtoInitial;  // always within rto_min_ and kRtoMax once measured
};

}  // namespace ginnel::kcp
