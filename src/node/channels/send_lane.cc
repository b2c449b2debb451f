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
  config.send_bytes_max = kKcpBufferBytes;
  config.receive_bytes_max = kChannelWindowBytes;
  return config;
}

SendLane::SendLane(std::uint32_t number, LaneKey key, ConstBytes opening, Budget& budget)
    : number_(number),
      key_(std::move(key)),
      budget_(budget),
      kcp_(lane_config(number)),
      given_(opening.size()),
      accepted_(opening.size()) {
  if (opening.empty()) return;
  const auto taken = kcp_.send(opening);
  GINNEL_ASSERT(taken && *taken == opening.size());  // an empty KCP has room for it
}

bool SendLane::has_room(std::size_t bytes) const {
  return charged_ == 0 || charged_ + bytes <= kChannelWindowBytes;
}

bool SendLane::push(std::uint64_t id, ConstBytes header, ConstBytes data) {
  const std::size_t size = header.size() + data.size();
  if (!budget_.try_charge_send(size)) return false;
  charged_ += size;
  queued_.push_back({id, header.size(), accepted_, to_vector(header)});
  ByteVector& bytes = queued_.back().bytes;
  bytes.insert(bytes.end(), data.begin(), data.end());
  accepted_ += size;
  pump();
  return true;
}

void SendLane::feed_kcp() {
  for (; next_ < queued_.size(); ++next_) {
    const Queued& message = queued_[next_];
    const auto rest =
        ConstBytes(message.bytes).subspan(static_cast<std::size_t>(given_ - message.begin));
    const auto taken = kcp_.send(rest);
    given_ += taken ? *taken : 0;
    if (given_ < message.end()) return;
  }
}

void SendLane::pump() {
  feed_kcp();
  const std::uint64_t arrived = given_ - kcp_.sender().bytes();
  while (!queued_.empty() && queued_.front().end() <= arrived) {
    queued_.pop_front();
    --next_;
  }
  // The opening arrives before all else, so what is held beyond our charge is the opening.
  const auto held = static_cast<std::size_t>(accepted_ - arrived);
  if (held >= charged_) return;
  budget_.release_send(charged_ - held);
  charged_ = held;
}

std::vector<Unarrived> SendLane::give_back() {
  const std::uint64_t sent = given_ - kcp_.sender().unsent_bytes();
  std::vector<Unarrived> out;
  for (Queued& message : queued_) {
    message.bytes.erase(message.bytes.begin(),
                        message.bytes.begin() + static_cast<std::ptrdiff_t>(message.header_bytes));
    out.push_back({message.id, std::move(message.bytes), message.begin < sent});
  }
  queued_.clear();
  next_ = 0;
  return out;
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
