// The one UDP socket of a node: hub traffic, STUN, probes and data share it, since another socket
// would be another NAT mapping (docs/design.md section 6).
//
//   auto socket = UdpSocket::open({.bind = *Endpoint::parse("[::]:7700")});
//   for (const Received& r : (*socket)->receive(in)) ...
//   const SendReport report = (*socket)->send(out);
//
// Never SO_REUSEADDR or SO_REUSEPORT: with them Linux lets two programs share an ephemeral port,
// and each gets part of the other's packets (seen when punching with 256 sockets).
// receive and send may be called from different threads, send also from several, each with a batch
// of its own. Neither allocates.
#pragma once
#include <ginnel/error.h>

#include <atomic>
#include <memory>
#include <span>

#include "io/fd.h"
#include "io/udp_batch.h"

namespace ginnel::io {

// What a burst of a second at 64 Mbit/s needs.
inline constexpr int kSocketBufferBytes = 8 << 20;

struct UdpOptions {
  // All zero ("[::]"): both families. "0.0.0.0": IPv4 only. Else exactly this address.
  // Port 0: the kernel chooses.
  Endpoint bind{};
  int buffer_bytes = kSocketBufferBytes;  // each way; cut to rmem_max without CAP_NET_ADMIN
  bool gro = true;
  // The kernel keeps and obeys the path MTU that routers tell it of: a larger datagram fails.
  // Without, nothing smaller than the interface's MTU counts.
  bool obey_path_mtu = false;
  bool fragment = false;  // datagrams larger than the path are cut by IP instead of refused
};

struct SendReport {
  std::size_t messages = 0;  // left the batch, sent or failed
  bool would_block = false;  // the rest stays in the batch; send again when writable
  std::span<const SendFailure> failures;  // valid until the batch's next send
};

class UdpSocket {
 public:
  // Errors: kPortBusy (the text names the port, and its owner when that can be found),
  // kPermission (ports below 1024), kConfigValue (no interface has the address), kInternal.
  static Result<std::unique_ptr<UdpSocket>, Error> open(const UdpOptions& options);
  UdpSocket(const UdpSocket&) = delete;

  // Never blocks. Empty: nothing waits. A full batch may mean that more waits.
  std::span<const Received> receive(ReceiveBatch& batch);
  // Sends as much of the batch as the socket takes, and clears it when all is done. A message that
  // fails never holds up those behind it.
  SendReport send(SendBatch& batch);

  int fd() const { return fd_.get(); }
  const Endpoint& local() const { return local_; }
  bool gso() const { return gso_.load(std::memory_order_relaxed); }
  bool gro() const { return gro_; }
  int receive_buffer_bytes() const;  // as granted
  // As if the kernel had refused segmentation: packets are split before they are sent.
  void disable_gso() { gso_.store(false, std::memory_order_relaxed); }
  // Datagrams longer than their slot. Receiving thread only.
  std::uint64_t truncated() const { return truncated_; }

 private:
  UdpSocket(Fd fd, sa_family_t family) : fd_(std::move(fd)), family_(family) {}
  void set_options(const UdpOptions& options);
  Result<void, Error> bind_to(const Endpoint& local);
  void prepare(SendBatch& batch, std::size_t i) const;
  std::size_t prepare_run(SendBatch& batch) const;
  int send_one(const Outgoing& message) const;
  bool send_by_segment(SendBatch& batch);

  Fd fd_;
  sa_family_t family_;  // AF_INET only when bound to IPv4, or on a kernel without IPv6
  Endpoint local_;
  bool gro_ = false;
  std::atomic<bool> gso_{false};  // only ever goes from true to false after open
  std::uint64_t truncated_ = 0;
};

}  // namespace ginnel::io
