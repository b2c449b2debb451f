// The receiving thread: socket -> TUN, and at a hub socket -> socket.
//
//   1. what control sent: changes of the relay, datagrams to take up again
//   2. receive, open, check, join
//   3. one write per super packet, one send per relayed run, one wake-up for control
#pragma once
#include <atomic>

#include "io/tun.h"
#include "node/forward/publication.h"
#include "node/forward/receiver.h"
#include "runtime/forwarding/sender.h"
#include "runtime/forwarding/transmit_loop.h"

namespace ginnel::forwarding {

class ReceiveLoop {
 public:
  // Of 64 KiB each. A network card that joins nothing fills a slot with one datagram.
  static constexpr std::size_t kReceiveSlots = 32;
  // Written and sent on when so much was received: a super packet is no longer than that.
  static constexpr std::size_t kFlushBytes = 128 * 1024;
  static constexpr std::size_t kRelayChangesMax = 4096;
  static constexpr std::size_t kInjectedMax = 64;

  struct Parts {
    io::UdpSocket& socket;
    const io::Tun* tun = nullptr;  // null: IP packets are dropped
    Tables::Reader& tables;
    ControlQueue& control;
    const io::Wakeup& wakeup;  // look whether to stop, and what control sent
    const std::atomic<bool>& stop;
    std::size_t relay_places = 0;
  };
  explicit ReceiveLoop(const Parts& parts);
  ReceiveLoop(const ReceiveLoop&) = delete;

  void run();
  // The control thread's; false: full, nothing happened.
  bool change_relay(const forward::RelayChange& change);
  bool inject(const forward::ToControl& early);

  const forward::DropCounters& drops() const { return receiver_.drops(); }
  std::uint64_t unsent() const { return sender_.dropped(); }
  std::uint64_t unwritten() const { return unwritten_.load(std::memory_order_relaxed); }

 private:
  bool move_batch();
  void take_from_control(Instant now);
  void handle(Instant now, const forward::ForwardingTable& table, const forward::ReceivedRun& run);
  void flush();
  void write_tun();
  void wait();

  Parts parts_;
  forward::Receiver receiver_;
  forward::ReceiveOutput out_;
  io::ReceiveBatch batch_;
  Sender sender_;
  SpscRing<forward::RelayChange> relay_changes_;
  SpscRing<ControlItem> injected_;
  std::atomic<std::uint64_t> unwritten_{0};  // writes that the device did not take
};

}  // namespace ginnel::forwarding
