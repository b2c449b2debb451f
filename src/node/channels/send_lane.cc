#include "node/channels/send_lane.h"

namespace ginnel::node {

kcp::Config lane_config(std::uint32_t lane) {
  kcp::Config config;
  config.conv = kcp::Conv(lane);
  config.mtu_bytes = kLanePacketBytes;
  // Without a paced sender the window is what limits the rate: 256 segments fill 24 Mbit/s at a
  // round trip of 100 ms and do not overrun the queue of a home router at once.
  config.send_window_segments = 256;
  config.send_bytes_max = kChannelWindowBytes;
  config.receive_bytes_max = kChannelWindowBytes;
  return config;
}

SendLane::SendLane(std::uint32_t number, std::string channel, Budget& budget)
    : number_(number), channel_(std::move(channel)), budget_(budget), kcp_(lane_config(number)) {}

bool SendLane::has_room(std::size_t bytes) const {
  const std::size_t held = outstanding();
  return held == 0 || held + bytes <= kChannelWindowBytes;
}

bool SendLane::push(ConstBytes header, ConstBytes data) {
  const std::size_t size = header.size() + data.size();
  if (!budget_.try_charge(size)) return false;
  charged_ += size;
  backlog_bytes_ += size;
  backlog_.push_back(to_vector(header));
  backlog_.back().insert(backlog_.back().end(), data.begin(), data.end());
  pump();
  return true;
}

void SendLane::pump() {
  while (!backlog_.empty()) {
    const ConstBytes rest = ConstBytes(backlog_.front()).subspan(front_taken_);
    const auto taken = kcp_.send(rest);
    if (!taken || *taken == 0) break;
    front_taken_ += *taken;
    backlog_bytes_ -= *taken;
    if (front_taken_ < backlog_.front().size()) break;
    backlog_.pop_front();
    front_taken_ = 0;
  }
  const std::size_t held = outstanding();
  if (held >= charged_) return;
  budget_.release(charged_ - held);
  charged_ = held;
}

bool SendLane::take_writable() {
  // Half the window: a writer that is woken for every segment would spend its time waking.
  if (!blocked_ || outstanding() > kChannelWindowBytes / 2) return false;
  blocked_ = false;
  return true;
}

}  // namespace ginnel::node
