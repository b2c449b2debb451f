// The transmitting thread: TUN -> socket.
//
//   1. read until nothing waits, or enough is sealed
//   2. each read: split and sealed into the batch; what is control's goes to its queue
//   3. one send; then again, or wait for the device
#pragma once
#include <atomic>

#include "io/tun.h"
#include "node/forward/publication.h"
#include "node/forward/transmitter.h"
#include "runtime/forwarding/sender.h"

namespace ginnel::forwarding {

using Tables = forward::Publication<forward::ForwardingTable>;

class TransmitLoop {
 public:
  // Sent when so much is sealed: a send is worth its price by then, and the bytes are still in the
  // processor's cache.
  static constexpr std::size_t kSendBytes = 64 * 1024;
  static constexpr int kReadsMax = 64;

  struct Parts {
    io::UdpSocket& socket;
    const io::Tun& tun;
    Tables::Reader& tables;
    ControlQueue& control;
    const io::Wakeup& wakeup;  // look whether to stop
    const std::atomic<bool>& stop;
  };
  explicit TransmitLoop(const Parts& parts);
  TransmitLoop(const TransmitLoop&) = delete;

  void run();
  const forward::DropCounters& drops() const { return transmitter_.drops(); }
  std::uint64_t unsent() const { return sender_.dropped(); }

 private:
  bool move_batch();
  void push(Instant now, const forward::ForwardingTable& table, ConstBytes read);
  void hand_to_control(ConstBytes read, std::size_t first_segment);
  void send();
  void note_gone();
  void wait();

  Parts parts_;
  forward::Transmitter transmitter_;
  forward::SealedBatch batch_;
  Sender sender_;
  ByteVector buffer_;   // one read
  ByteVector segment_;  // on its way to control
  bool gone_ = false;   // the device is deleted
};

}  // namespace ginnel::forwarding
