// The node core and the forwarding threads, joined: what the threads tell goes to the core, what
// the core decides goes to the threads.
//
//   auto plane = ForwardingPlane::start(node, socket, tun);
//   loop.watch((*plane)->fd(), … (*plane)->receive());
//   plane->handle(event)    // true: it was the plane's
//   plane->publish();       // before the datagrams of this round leave
//
// Belongs to the loop's thread.
#pragma once
#include <functional>
#include <memory>

#include "node/forwarding_control.h"
#include "runtime/forwarding/forwarding_threads.h"

namespace ginnel::runtime {

class ForwardingPlane {
 public:
  // Items of the threads per call of receive(), so that a flood does not starve timers.
  static constexpr int kItemsPerRound = 512;

  // Both outlive the plane. `tun`: null: no packets of this host. Errors: kInternal.
  static Result<std::unique_ptr<ForwardingPlane>, Error> start(node::Node& node,
                                                               io::UdpSocket& socket,
                                                               const io::Tun* tun);
  ForwardingPlane(const ForwardingPlane&) = delete;

  // Readable: receive() has something.
  int fd() const { return threads_->fd(); }
  void receive();
  // True: the event was for the plane.
  bool handle(node::Event& event) { return control_.handle(event); }
  void publish();
  // The TUN device was deleted: told once.
  void on_device_gone(std::function<void()> handler) { device_gone_ = std::move(handler); }
  forwarding::ForwardingCounters counters() const { return threads_->counters(); }

 private:
  ForwardingPlane(node::Node& node, std::unique_ptr<forwarding::ForwardingThreads> threads)
      : node_(node), control_(node), threads_(std::move(threads)) {}
  void take(Instant now, forwarding::ControlItem& item);

  node::Node& node_;
  node::ForwardingControl control_;
  std::unique_ptr<forwarding::ForwardingThreads> threads_;
  std::function<void()> device_gone_;
};

}  // namespace ginnel::runtime
