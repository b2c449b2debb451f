// The forwarding plane at work: one thread from TUN to the socket, one from the socket to TUN.
//
//   auto threads = ForwardingThreads::start(socket, tun.get(), {});
//   (*threads)->publish(std::make_unique<ForwardingTable>(…));
//   loop.watch((*threads)->fd(), [&] { while (auto item = (*threads)->poll()) handle(*item); });
//
// What control must know:
//  - It no longer receives from the socket; it sends as before, with a batch of its own.
//  - It never opens a data message: a kUnknownIndex item whose index it knows is given back with
//    inject() after the table that has it was published.
//  - It publishes the table with a new key pair before it sends the message that lets the peer use
//    it, and retires a pair after the table that has it no more.
//  - ICMP answers and packets that control itself has for the device are written with Tun::write
//    from any thread.
//
// All calls belong to the control thread. socket and tun outlive this.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "runtime/forwarding/receive_loop.h"
#include "runtime/forwarding/transmit_loop.h"

namespace ginnel::forwarding {

struct ForwardingOptions {
  std::size_t relay_places = 0;  // nodes at this hub; 0: no hub
  // Of each thread, that wait for control; past it new ones are dropped.
  std::size_t items_max = 1024;
};

struct ForwardingCounters {
  std::array<std::uint64_t, static_cast<std::size_t>(forward::Drop::kCount)> drops{};
  std::uint64_t unsent = 0;         // sends that a full socket did not take
  std::uint64_t unwritten = 0;      // writes that the device did not take
  std::uint64_t items_dropped = 0;  // that found control's queue full
};

class ForwardingThreads {
 public:
  // `tun`: null: no transmitting thread. Errors: kInternal (no eventfd).
  static Result<std::unique_ptr<ForwardingThreads>, Error> start(io::UdpSocket& socket,
                                                                 const io::Tun* tun,
                                                                 const ForwardingOptions& options);
  ForwardingThreads(const ForwardingThreads&) = delete;
  // Stops and joins.
  ~ForwardingThreads();
  // Joins both threads; what waits in the queues can still be polled.
  void stop();

  // The table before is freed when no thread uses it any more. Frees what can be freed.
  void publish(std::unique_ptr<const forward::ForwardingTable> table);
  // After a table without it was published.
  void retire(std::unique_ptr<wg::KeyPair> pair);
  // Frees what can be freed; how many objects wait. Call it now and then.
  std::size_t collect();

  // Readable when poll() may yield something.
  int fd() const { return wakeups_.control.fd(); }
  // nullopt: nothing waits; fd() is armed again.
  std::optional<ControlItem> poll();

  // False: the queue is full; nothing happened.
  bool change_relay(const forward::RelayChange& change);
  // What was told as kUnknownIndex, once its table is published.
  bool inject(const forward::ToControl& early);

  ForwardingCounters counters() const;

 private:
  struct Wakeups {
    io::Wakeup control;
    io::Wakeup receive;
    io::Wakeup transmit;
  };
  ForwardingThreads(io::UdpSocket& socket, const io::Tun* tun, const ForwardingOptions& options,
                    Wakeups wakeups);

  Wakeups wakeups_;
  std::atomic<bool> stop_{false};
  Tables tables_;
  ControlQueue from_receive_;
  ControlQueue from_transmit_;
  std::unique_ptr<ReceiveLoop> receive_;
  std::unique_ptr<TransmitLoop> transmit_;  // null: no TUN
  std::thread receive_thread_;
  std::thread transmit_thread_;
};

}  // namespace ginnel::forwarding
