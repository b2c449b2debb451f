// The daemon's TUN device: made where permitted, with the node's overlay addresses and the route to
// the overlay range. The forwarding threads move its packets; control writes the few of its own.
#pragma once
#include <memory>
#include <vector>

#include "io/tun.h"

namespace ginnel::runtime {

struct TunLinkOptions {
  std::vector<Address> addresses;  // of the node
  Prefix overlay_v4;
  std::vector<Prefix> routes{};  // further ranges that lead here: those of stock WireGuard peers
  std::uint32_t mtu_bytes = 1392;
};

class TunLink {
 public:
  // Errors: kPermission, kNoTun; kAddressInUse (the text names the range and its interface).
  static Result<std::unique_ptr<TunLink>, Error> open(const TunLinkOptions& options);

  const io::Tun& device() const { return *tun_; }
  void write(ConstBytes packet);
  // The node's overlay addresses are these from now on. Errors: as Netlink.
  Result<void, Error> change_addresses(const std::vector<Address>& addresses);

 private:
  TunLink(std::unique_ptr<io::Tun> tun, TunLinkOptions options)
      : options_(std::move(options)), tun_(std::move(tun)) {}

  TunLinkOptions options_;
  std::unique_ptr<io::Tun> tun_;
};

}  // namespace ginnel::runtime
