// Batches of datagrams in memory that the caller owns, for UdpSocket::receive and ::send.
//
//   SendBatch out(64);
//   out.add({.to = peer, .bytes = sealed, .segment_size = 1440});
//   socket.send(out);
//
// One thread each. All memory is taken in the constructors.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "io/socket_address.h"

namespace ginnel::io {

// A coalesced super packet (UDP_GRO) is at most one IP packet.
inline constexpr std::size_t kUdpBytesMax = 65536;
// linux/udp.h UDP_MAX_SEGMENTS: kernels before 6.9 refuse more than 64 in one send.
inline constexpr std::size_t kSegmentsMax = 64;

// One datagram, or several of one sender that the kernel joined: `segment_size` bytes each, the
// last one possibly shorter.
struct Received {
  Endpoint from;
  Address local;                 // the address it was sent to: answer from there
  Bytes bytes;                   // inside the batch; valid until its next receive
  std::size_t segment_size = 0;  // bytes; 0: one datagram
  std::uint8_t ecn = 0;          // RFC 3168 codepoint
};

class ReceiveBatch {
 public:
  // `slots` messages of `slot_bytes` each. With slots shorter than kUdpBytesMax coalesced packets
  // are cut and dropped: only for sockets opened with `gro = false`.
  explicit ReceiveBatch(std::size_t slots, std::size_t slot_bytes = kUdpBytesMax);
  ReceiveBatch(const ReceiveBatch&) = delete;

 private:
  friend class UdpSocket;
  struct alignas(cmsghdr) Control {
    std::array<std::byte, 128> bytes;
  };
  Bytes slot(std::size_t i) { return Bytes(memory_).subspan(i * slot_bytes_, slot_bytes_); }

  std::size_t slot_bytes_;
  ByteVector memory_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<SocketAddress> names_;
  std::vector<Control> controls_;
  std::vector<Received> received_;
};

// One send. The bytes are the caller's and stay in place until the message has been sent.
struct Outgoing {
  Endpoint to{};
  Address source{};              // unspecified: the kernel chooses
  ConstBytes bytes{};            // at most kSegmentsMax segments
  std::size_t segment_size = 0;  // bytes per datagram; 0: one datagram
  std::uint8_t ttl = 0;          // 0: the kernel's
  std::uint8_t ecn = 0;          // RFC 3168 codepoint
};

enum class SendError : std::uint8_t {
  kTooBig,      // larger than the path's MTU (EMSGSIZE): the path should go lower; dropped
  kSourceGone,  // we have the source address no more; sent from the kernel's choice
  kNoRoute,     // no way to this destination, or not of this socket's family; dropped
  kDenied,      // a local firewall rule refused it; dropped
  kOther,       // anything else, say no memory; dropped
};
struct SendFailure {
  Endpoint to;
  Address source;
  std::size_t datagram_bytes = 0;  // size of the datagram that failed
  SendError why = SendError::kOther;
  int number = 0;  // errno
};

class SendBatch {
 public:
  explicit SendBatch(std::size_t messages_max);
  SendBatch(const SendBatch&) = delete;

  // False: full, nothing was added.
  bool add(const Outgoing& message);
  bool empty() const { return first_ == messages_.size(); }
  bool full() const { return messages_.size() == messages_max_; }
  // Not sent yet: what is left after `would_block`.
  std::span<const Outgoing> pending() const { return std::span(messages_).subspan(first_); }
  // Forgets everything, sent or not.
  void clear();

 private:
  friend class UdpSocket;
  struct alignas(cmsghdr) Control {
    std::array<std::byte, 128> bytes;
  };

  std::size_t messages_max_;
  std::vector<Outgoing> messages_;
  std::vector<SendFailure> failures_;  // of the last send; at most one per message
  std::size_t first_ = 0;   // messages before it are done
  std::size_t offset_ = 0;  // bytes of messages_[first_] that went out segment by segment
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<SocketAddress> names_;
  std::vector<Control> controls_;
};

}  // namespace ginnel::io
