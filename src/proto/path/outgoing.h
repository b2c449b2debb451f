// Frames that wait to be sealed and sent: the agent's bounded queue.
#pragma once
#include <deque>
#include <variant>

#include "base/core.h"
#include "proto/path/wire.h"

namespace ginnel::path {

struct Outgoing {
  PathId path;
  Endpoint to;
  std::uint8_t ttl = 0;  // 0: the kernel's
  std::variant<CallMeMaybe, Probe, ProbeAnswer> body;
};

class OutgoingQueue {
 public:
  // At the limit a new frame is dropped, as if the network had lost it.
  static constexpr std::size_t kMax = 64;

  void push(Outgoing frame) {
    if (queue_.size() < kMax) queue_.push_back(std::move(frame));
  }
  bool empty() const { return queue_.empty(); }

  // Writes the next frame, header and body, into `slot`. One that does not fit (an MTU probe larger
  // than the slot) is dropped: it counts as lost.
  std::optional<Transmit> poll(Bytes slot) {
    while (!queue_.empty()) {
      const Outgoing frame = std::move(queue_.front());
      queue_.pop_front();
      const auto write = [&](const auto& body) { return write_frame(body, slot); };
      const std::size_t size = std::visit(write, frame.body);
      if (size == 0) continue;
      return Transmit{.path = frame.path, .to = frame.to, .size = size, .ttl = frame.ttl};
    }
    return std::nullopt;
  }

 private:
  std::deque<Outgoing> queue_;
};

}  // namespace ginnel::path
