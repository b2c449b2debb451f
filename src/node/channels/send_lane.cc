#include "node/channels/send_lane.h"

#include "base/assert.h"

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

SendLane::SendLane(std::uint32_t number, std::string channel, ConstBytes opening, Budget& budget)
    : number_(number), channel_(std::move(channel)), budget_(budget), kcp_(lane_config(number)) {
  if (opening.empty()) return;
  const auto taken = kcp_.send(opening);
  GINNEL_ASSERT(taken && *taken == opening.size());  // an empty KCP has room for it
}

bool SendLane::has_room(std::size_t bytes) const {
  return charged_ == 0 || charged_ + bytes <= kChannelWindowBytes;
}

bool SendLane::push(ConstBytes header, ConstBytes data) {
  const std::size_t size = header.size() + data.size();
  if (!budget_.try_charge_send(size)) return false;
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
  // The opening arrives before all else, so what KCP holds beyond our charge is the opening.
  const std::size_t held = backlog_bytes_ + kcp_.sender().bytes();
  if (held >= charged_) return;
  budget_.release_send(charged_ - held);
  charged_ = held;
}

bool SendLane::take_writable() {
  // Half the window: a writer that is woken for every segment would spend its time waking.
  if (!blocked_ || !has_room(*blocked_) || charged_ > kChannelWindowBytes / 2) return false;
  if (*blocked_ > budget_.send_room()) {
    budget_.note_refused();
    return false;
  }
  blocked_.reset();
  return true;
}

}  // namespace ginnel::node
