#include "io/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "io/system_error.h"

namespace ginnel::io {
namespace {

// linux/if_tun.h of Linux 6.2; Debian 12's headers are older than its backported kernels.
constexpr unsigned kTunUso4 = 0x20;
constexpr unsigned kTunUso6 = 0x40;
constexpr unsigned kTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
constexpr unsigned kUdp = kTunUso4 | kTunUso6;

constexpr const char* kDevice = "/dev/net/tun";

Error open_error(int number) {
  Error error = system_error(number, Errc::kNoTun, std::string("open ") + kDevice);
  const bool missing = number == ENOENT || number == ENODEV || number == ENXIO;
  if (missing) {
    error.hint = "modprobe tun; in a container, give it the device (--device /dev/net/tun) and "
                 "CAP_NET_ADMIN. Messages work without it (tun.enable = \"no\")";
  }
  if (error.code == Errc::kPermission) error.hint = "run as root, or make the device readable";
  return error;
}

Error attach_error(int number, const std::string& name) {
  const std::string shown = name.substr(0, name.find('%'));  // "ginnel%d": any number
  Error error = system_error(number, Errc::kNoTun, "make the TUN device " + shown);
  if (error.code == Errc::kPermission) {
    error.hint = "a TUN device needs root or CAP_NET_ADMIN (systemd: AmbientCapabilities=). "
                 "Messages work without it (tun.enable = \"no\")";
  } else if (number == EBUSY) {
    error.hint = "another program has it open: stop that one";
  } else if (number == EINVAL) {
    error.hint = "the name is taken by another kind of interface, or malformed";
  }
  return error;
}

bool is_full(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

TunResult failed(int number) {
  if (is_full(number) || number == EINTR) return {TunStatus::kNothing, 0};
  // drivers/net/tun.c: EBADFD once the device is no longer attached to this descriptor.
  return {number == EBADFD ? TunStatus::kGone : TunStatus::kRejected, 0};
}

}  // namespace

Result<std::unique_ptr<Tun>, Error> Tun::open(const TunOptions& options) {
  return attach(options);
}

Result<std::unique_ptr<Tun>, Error> Tun::open_queue() const { return attach({.name = name_, .multi_queue = true}); }

Result<std::unique_ptr<Tun>, Error> Tun::attach(const TunOptions& options) {
  ifreq request{};
  const std::string& name = options.name;
  if (name.empty() || name.size() >= sizeof request.ifr_name) {
    return Fail(attach_error(EINVAL, name));
  }
  Fd fd(::open(kDevice, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Fail(open_error(errno));
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (options.multi_queue) request.ifr_flags |= IFF_MULTI_QUEUE;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return Fail(attach_error(errno, name));
  const int header_bytes = kVnetHeaderBytes;
  if (::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_bytes) != 0) {
    return Fail(attach_error(errno, name));
  }
  std::unique_ptr<Tun> tun(new Tun(std::move(fd), request.ifr_name));
  tun->index_ = InterfaceIndex(::if_nametoindex(tun->name_.c_str()));
  if (options.offloads) tun->choose_offloads();
  return tun;
}

// Best first: what the kernel does not know it refuses as a whole.
void Tun::choose_offloads() {
  const auto accepted = [&](unsigned flags) {
    return ::ioctl(fd_.get(), TUNSETOFFLOAD, static_cast<unsigned long>(flags)) == 0;
  };
  if (accepted(kTcp | kUdp)) {
    offloads_ = {.checksum = true, .tcp = true, .udp = true};
  } else if (accepted(kTcp)) {
    offloads_ = {.checksum = true, .tcp = true, .udp = false};
  } else if (accepted(TUN_F_CSUM)) {
    offloads_ = {.checksum = true, .tcp = false, .udp = false};
  }
}

Result<void, Error> Tun::configure(Netlink& netlink, const TunSetup& setup) const {
  const bool v6 = has_ipv6(name_);
  if (auto done = netlink.disable_link_local(index_); !done) return done;
  auto done = netlink.set_link(index_, {.mtu_bytes = setup.mtu_bytes});
  if (!done) return done;
  for (InterfaceAddress address : setup.addresses) {
    if (!v6 && !address.address.is_v4()) continue;
    address.index = index_;
    if (done = netlink.add_address(address); !done) return done;
  }
  // Routes need the link up.
  if (done = netlink.set_link(index_, {.up = true}); !done) return done;
  for (Route route : setup.routes) {
    if (!v6 && !route.target.address.is_v4()) continue;
    route.index = index_;
    if (done = netlink.add_route(route); !done) return done;
  }
  return {};
}

TunResult Tun::read(Bytes buffer) const {
  const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
  if (got < 0) return failed(errno);
  return {TunStatus::kDone, static_cast<std::size_t>(got)};
}

TunResult Tun::write(std::span<const ConstBytes> parts) const {
  GINNEL_ASSERT(parts.size() <= kTunPartsMax);
  std::array<iovec, kTunPartsMax> vectors;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    vectors[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
  }
  const ssize_t wrote = ::writev(fd_.get(), vectors.data(), static_cast<int>(parts.size()));
  if (wrote < 0) return failed(errno);
  return {TunStatus::kDone, static_cast<std::size_t>(wrote)};
}

}  // namespace ginnel::io
