// A TUN device: the host's IP packets in and out, with the kernel's offloads, so that one call
// moves a super packet of up to 64 KiB: worth six times in throughput (batching calls is not).
//
//   auto tun = Tun::open({});
//   auto netlink = Netlink::open();
//   (*tun)->configure(**netlink, {.mtu_bytes = 1392, .addresses = {{{}, mine, 112}}});
//   const TunResult r = (*tun)->read(buffer);   // buffer: header, then the packet
//
// Each queue belongs to one reading thread; write may be called from any. Neither allocates. The
// device is gone with its last queue.
#pragma once
#include <ginnel/error.h>

#include <memory>
#include <span>
#include <vector>

#include "io/fd.h"
#include "io/netlink.h"

namespace ginnel::io {

// Before each packet stands a struct virtio_net_hdr in the machine's byte order: u8 flags, u8
// gso_type, u16 hdr_len, gso_size, csum_start, csum_offset (linux/virtio_net.h).
inline constexpr std::size_t kVnetHeaderBytes = 10;
inline constexpr std::size_t kTunPacketBytesMax = 65535;
// What one read needs.
inline constexpr std::size_t kTunBufferBytes = kVnetHeaderBytes + kTunPacketBytesMax;
// linux/uio.h UIO_MAXIOV is 1024; a super packet of 64 segments needs far fewer.
inline constexpr std::size_t kTunPartsMax = 160;

struct TunOptions {
  std::string name = "ginnel%d";  // %d: the kernel takes the first free number
  bool multi_queue = false;
  // Without: every packet comes whole, checksummed and no longer than the MTU.
  bool offloads = true;
};
// What the kernel may hand over in one piece. Packets with a partial checksum (VIRTIO_NET_HDR_F_
// NEEDS_CSUM) come only with `checksum`.
struct TunOffloads {
  bool checksum = false;
  bool tcp = false;  // TSO, both families
  bool udp = false;  // USO, both families (Linux 6.2)
};

enum class TunStatus : std::uint8_t {
  kDone,      // one packet moved
  kNothing,   // nothing waits, or no room now
  kRejected,  // the kernel found the packet malformed, or the device is down; dropped
  kGone,      // the device was deleted
};
struct TunResult {
  TunStatus status = TunStatus::kNothing;
  std::size_t size = 0;  // bytes, header included
};

struct TunSetup {
  std::uint32_t mtu_bytes = 1392;             // docs/design.md section 3
  std::vector<InterfaceAddress> addresses{};  // the index is filled in
  std::vector<Route> routes{};                // likewise
};

class Tun {
 public:
  // Errors: kPermission, kNoTun (no /dev/net/tun, the name is taken or malformed). Both have a
  // hint; nothing was made.
  static Result<std::unique_ptr<Tun>, Error> open(const TunOptions& options);
  Tun(const Tun&) = delete;
  // A further queue of the same device, which was opened with multi_queue. The kernel spreads flows
  // over the queues.
  Result<std::unique_ptr<Tun>, Error> open_queue() const;

  // Sets MTU, addresses and routes, and the link up. Where has_ipv6(name()) is false the IPv6 ones
  // are left out. Errors: as Netlink; what was done before the error stays until the device goes.
  Result<void, Error> configure(Netlink& netlink, const TunSetup& setup) const;

  // One packet into `buffer` (kTunBufferBytes): the header, then the packet. Never blocks.
  TunResult read(Bytes buffer) const;
  // Writes one packet from its parts, at most kTunPartsMax; the first begins with the header.
  TunResult write(std::span<const ConstBytes> parts) const;

  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }
  InterfaceIndex index() const { return index_; }
  const TunOffloads& offloads() const { return offloads_; }

 private:
  Tun(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  static Result<std::unique_ptr<Tun>, Error> attach(const TunOptions& options);
  void choose_offloads();

  Fd fd_;
  std::string name_;
  InterfaceIndex index_;
  TunOffloads offloads_;
};

}  // namespace ginnel::io
