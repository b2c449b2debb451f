// Tells when the host's network is another one than before: on start, and after each change.
//
//   auto watch = NetworkWatch::start(loop, [&](const HostNetwork& network) { … });
//
// Changes come in crowds (a link, its addresses, its routes), so it waits a moment and reads once.
// Belongs to the loop's thread; the loop outlives it.
#pragma once
#include <functional>
#include <memory>

#include "io/event_loop.h"
#include "io/network_monitor.h"
#include "runtime/engine/host_network.h"

namespace ginnel::runtime {

class NetworkWatch {
 public:
  using Tell = std::function<void(const HostNetwork&)>;
  static constexpr Nanoseconds kSettleTime = 100ms;

  // `tell` is called before start() returns, if the network can be read. Errors: kInternal.
  static Result<std::unique_ptr<NetworkWatch>, Error> start(io::EventLoop& loop, Tell tell);
  ~NetworkWatch();
  NetworkWatch(const NetworkWatch&) = delete;

  // Tells again within kSettleTime, changed or not.
  void look_soon();

 private:
  NetworkWatch(io::EventLoop& loop, std::unique_ptr<io::NetworkMonitor> monitor, Tell tell);
  void note_changes();
  void look();

  io::EventLoop& loop_;
  std::unique_ptr<io::NetworkMonitor> monitor_;
  Tell tell_;
  io::Alarm alarm_;
  bool waiting_ = false;  // the alarm is set
};

}  // namespace ginnel::runtime
