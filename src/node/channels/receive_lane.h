// Our end of a lane that the other node owns: KCP segments in, whole messages out. A message stays
// until it is taken; behind it KCP's window closes, which is where back-pressure comes from.
//
// `Stream` cuts the byte stream: control::LaneReader for channels, control::ControlReader for lane 0.
#pragma once
#include "node/channels/budget.h"
#include "node/channels/send_lane.h"
#include "proto/control/control_message.h"
#include "proto/control/lane.h"
#include "proto/kcp/kcp.h"

namespace ginnel::node {

template <class Stream>
class ReceiveLane {
 public:
  ReceiveLane(std::uint32_t number, Budget& budget)
      : budget_(budget), kcp_(lane_config(number)) {}
  ~ReceiveLane() { budget_.release(charged_); }
  ReceiveLane(const ReceiveLane&) = delete;
  ReceiveLane& operator=(const ReceiveLane&) = delete;

  kcp::Kcp& kcp() { return kcp_; }
  const kcp::Kcp& kcp() const { return kcp_; }
  const Stream& stream() const { return stream_; }

  bool is_ready() const { return stream_.ready(); }
  bool is_failed() const { return stream_.failed(); }
  // Only when is_ready().
  auto take() {
    budget_.release(std::exchange(charged_, 0));
    auto out = stream_.take();
    pull();
    return out;
  }

  // Reads KCP as far as the next whole message, and as far as the node's budget goes.
  void pull() {
    while (!stream_.ready() && !stream_.failed()) {
      if (rest_.empty() && !read_more()) return;
      const std::size_t taken = stream_.feed(rest_);
      rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(taken));
      if (taken == 0) return;
    }
    if (stream_.failed()) discard();
  }
  // True once per message that became ready.
  bool take_news() {
    if (!stream_.ready()) return announced_ = false;
    if (announced_) return false;
    return announced_ = true;
  }
  void message_taken() { announced_ = false; }

 private:
  static constexpr std::size_t kReadBytes = 16 * 1024;

  bool read_more() {
    const auto size = kcp_.next_size();
    if (!size) return false;
    const std::size_t wanted = std::min(*size, kReadBytes);
    if (!budget_.try_charge(wanted)) return false;
    rest_.resize(wanted);
    const std::size_t got = kcp_.read(rest_).value_or(0);
    rest_.resize(got);
    budget_.release(wanted - got);
    charged_ += got;
    return got > 0;
  }
  // A lane that broke the format: KCP goes on acknowledging, nothing is kept.
  void discard() {
    rest_.clear();
    std::array<std::byte, 4096> sink{};
    while (kcp_.next_size() && kcp_.read(sink)) {
    }
    budget_.release(std::exchange(charged_, 0));
  }

  Budget& budget_;
  kcp::Kcp kcp_;
  Stream stream_;
  ByteVector rest_;          // read from KCP, not yet fed
  std::size_t charged_ = 0;  // what the message at hand and rest_ cost
  bool announced_ = false;
};

}  // namespace ginnel::node
