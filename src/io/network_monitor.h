// Tells when the host's network changes: a cable, a new address, another default route.
//
//   auto monitor = NetworkMonitor::open();
//   loop.watch(monitor->fd(), {.read = true}, [&](Ready) {
//     while (auto change = (*monitor)->next()) ...
//   });
//
// One thread. Allocates.
#pragma once
#include <ginnel/error.h>

#include <deque>
#include <memory>
#include <variant>

#include "io/fd.h"
#include "io/network_state.h"

namespace ginnel::io {

struct InterfaceChanged {
  Interface state;  // as it is now, or was last
  bool removed = false;
};
struct AddressChanged {
  InterfaceAddress state;
  bool removed = false;
};
struct RouteChanged {
  Route state;
  bool removed = false;
};
// The kernel had more news than its socket held: ask Netlink for everything.
struct NewsLost {};
using NetworkChange = std::variant<InterfaceChanged, AddressChanged, RouteChanged, NewsLost>;

class NetworkMonitor {
 public:
  // From here on nothing is missed without a NewsLost. Errors: kInternal.
  static Result<std::unique_ptr<NetworkMonitor>, Error> open();
  NetworkMonitor(const NetworkMonitor&) = delete;

  // The next change in the kernel's order; nullopt: none waits. Never blocks.
  std::optional<NetworkChange> next();
  int fd() const { return fd_.get(); }

 private:
  explicit NetworkMonitor(Fd fd) : fd_(std::move(fd)), buffer_(64 << 10) {}
  bool receive();

  Fd fd_;
  ByteVector buffer_;
  std::deque<NetworkChange> changes_;  // of one datagram: bounded by buffer_
};

}  // namespace ginnel::io
