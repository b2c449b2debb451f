// Our end of a lane that the other node owns: KCP segments in, whole messages out. A message stays
// until it is taken; behind it KCP's window closes, which is where back-pressure comes from.
//
// `Stream` cuts the byte stream: control::LaneReader for channels, control::ControlReader for lane
// 0. Its header says how large a message is; the node's budget is charged for all of it before the
// first byte of its data is read. Charged piece by piece, several large messages could fill the
// budget with parts and none would ever be whole.
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
  ReceiveLane(std::uint32_t number, Budget& budget) : budget_(budget), kcp_(lane_config(number)) {}
  ~ReceiveLane() { budget_.release_receive(charged_); }
  ReceiveLane(const ReceiveLane&) = delete;
  ReceiveLane& operator=(const ReceiveLane&) = delete;

  std::uint32_t number() const { return kcp_.conv().value(); }
  kcp::Kcp& kcp() { return kcp_; }
  const kcp::Kcp& kcp() const { return kcp_; }
  const Stream& stream() const { return stream_; }

  bool is_ready() const { return stream_.ready(); }
  bool is_failed() const { return stream_.failed(); }
  // Only when is_ready().
  auto take() {
    budget_.release_receive(std::exchange(charged_, 0));
    announced_ = false;
    auto out = stream_.take();
    pull();
    return out;
  }

  // A whole message is there, though the budget may not let it in yet.
  bool holds_whole() const {
    if (is_ready()) return true;
    const bool reading = stream_.whole_bytes() > 0 && !is_failed();
    return reading && kcp_.next_size().value_or(0) >= stream_.missing();
  }

  // Reads KCP as far as the next whole message, and as far as the node's budget goes.
  void pull() {
    while (!stream_.ready() && !stream_.failed()) {
      if (!charge_whole() || !read_more()) return;
    }
    if (stream_.failed()) discard();
  }
  // True once per message that became ready.
  bool take_news() {
    if (!stream_.ready() || announced_) return false;
    return announced_ = true;
  }

 private:
  static constexpr std::size_t kReadBytes = 16 * 1024;

  bool charge_whole() {
    const std::size_t whole = stream_.whole_bytes();
    if (whole <= charged_) return true;
    if (!budget_.try_charge_receive(whole - charged_)) return false;
    charged_ = whole;
    return true;
  }
  // Never past the end of the header or the message at hand: what comes after is not paid for.
  bool read_more() {
    std::array<std::byte, kReadBytes> bytes;
    const auto got = kcp_.read(Bytes(bytes).first(std::min(stream_.missing(), kReadBytes)));
    if (!got) return false;
    stream_.feed(ConstBytes(bytes).first(*got));
    return *got > 0;
  }
  // A lane that broke the format: KCP goes on acknowledging, nothing is kept.
  void discard() {
    std::array<std::byte, 4096> sink{};
    while (kcp_.next_size() && kcp_.read(sink)) {
    }
    budget_.release_receive(std::exchange(charged_, 0));
  }

  Budget& budget_;
  kcp::Kcp kcp_;
  Stream stream_;
  std::size_t charged_ = 0;  // for the message at hand: whole_bytes(), or 0 if there was no room
  bool announced_ = false;
};

}  // namespace ginnel::node
