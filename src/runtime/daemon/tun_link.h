// The daemon's TUN device: made where permitted, with the node's overlay addresses and the route to
// the overlay range; packets one at a time on the control thread.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "io/tun.h"

namespace ginnel::runtime {

struct TunLinkOptions {
  std::vector<Address> addresses;  // of the node
  Prefix overlay_v4;
  std::uint32_t mtu_bytes = 1392;
};

class TunLink {
 public:
  // Errors: kPermission, kNoTun; kAddressInUse (the text names the range and its interface).
  static Result<std::unique_ptr<TunLink>, Error> open(const TunLinkOptions& options);

  int fd() const { return tun_->fd(); }
  const std::string& name() const { return tun_->name(); }
  // Gives every waiting packet to `deliver`. False: the device is gone.
  bool read_all(const std::function<void(ConstBytes)>& deliver);
  void write(ConstBytes packet);

 private:
  explicit TunLink(std::unique_ptr<io::Tun> tun)
      : tun_(std::move(tun)), buffer_(io::kTunBufferBytes) {}

  std::unique_ptr<io::Tun> tun_;
  ByteVector buffer_;
};

}  // namespace ginnel::runtime
