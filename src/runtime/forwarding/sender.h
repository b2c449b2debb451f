// A forwarding thread's sends: waits when the socket is full, and tells control what failed.
//
// One thread. Allocates in the constructor only.
#pragma once
#include <atomic>

#include "io/udp_socket.h"
#include "runtime/forwarding/control_queue.h"

namespace ginnel::forwarding {

class Sender {
 public:
  // How long a full socket is waited for; then the batch is dropped, as a full queue would.
  static constexpr int kPatienceMs = 200;

  Sender(io::UdpSocket& socket, std::size_t messages, ControlQueue& control)
      : socket_(socket), batch_(messages), control_(control) {}

  // The bytes stay where they are until flush().
  void add(const io::Outgoing& message) {
    if (batch_.full()) flush();
    batch_.add(message);
  }
  void flush();
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void report(const io::SendFailure& failure);
  bool wait_writable() const;

  io::UdpSocket& socket_;
  io::SendBatch batch_;
  ControlQueue& control_;
  std::atomic<std::uint64_t> dropped_{0};  // messages
};

}  // namespace ginnel::forwarding
