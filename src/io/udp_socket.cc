// Sending a batch:
// 1. sendmmsg takes the run of messages; the kernel stops at the first one that fails.
// 2. That one is sent again by itself, segment by segment, so that what can go goes, and the rest
//    is reported with its reason. EIO there means the device cannot segment: GSO is off from then
//    on, and every message takes this way.
// 3. On to 1 with those behind it.
#include "io/udp_socket.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "io/port_owner.h"
#include "io/system_error.h"
#include "io/udp_control.h"

namespace ginnel::io {
namespace {

// False: this kernel does not know the option.
bool set(const Fd& fd, int level, int option, int value) {
  return ::setsockopt(fd.get(), level, option, &value, sizeof value) == 0;
}

// The FORCE forms pass rmem_max and wmem_max, and need CAP_NET_ADMIN.
void set_buffers(const Fd& fd, int bytes) {
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes)) set(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

// On an AF_INET6 socket the IPv4 options hold for IPv4 packets.
// PROBE: the DF bit is set, and the kernel's own path MTU is neither kept nor obeyed. Path
// discovery is ours (docs/design.md section 3, "MTU"). DO: the DF bit is set, and they are.
void set_v4_options(const Fd& fd, const UdpOptions& options) {
  const int whole = options.obey_path_mtu ? IP_PMTUDISC_DO : IP_PMTUDISC_PROBE;
  set(fd, IPPROTO_IP, IP_MTU_DISCOVER, options.fragment ? IP_PMTUDISC_DONT : whole);
  set(fd, IPPROTO_IP, IP_RECVTOS, 1);
}

void set_v6_options(const Fd& fd, const UdpOptions& options) {
  const int whole = options.obey_path_mtu ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_PROBE;
  set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, options.fragment ? IPV6_PMTUDISC_DONT : whole);
  set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);  // for IPv4 packets too, v4-mapped
}

Error bind_error(int number, const Endpoint& local) {
  const std::string what = "listen on udp://" + local.text();
  if (number == EADDRINUSE) {
    const auto owner = port_owner(Transport::kUdp, local);
    return {Errc::kPortBusy,
            what + ": port " + std::to_string(local.port) + " is in use" +
                (owner ? " by " + owner->text() : std::string()),
            "stop that program, or choose another port with node.listen"};
  }
  if (number == EADDRNOTAVAIL) {
    return {Errc::kConfigValue, what + ": no interface of this host has this address",
            "node.listen must name an address of this host, or none"};
  }
  Error error = system_error(number, Errc::kInternal, what);
  if (number == EACCES) error.hint = "ports below 1024 need root or CAP_NET_BIND_SERVICE";
  return error;
}

SendError reason_of(int number) {
  switch (number) {
    case EMSGSIZE: return SendError::kTooBig;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL: return SendError::kNoRoute;
    case EPERM:
    case EACCES: return SendError::kDenied;
    default: return SendError::kOther;
  }
}

// What the kernel says when no interface has the source address any more, say after roaming:
// ENETUNREACH for IPv4 and EINVAL for IPv6 (seen on Linux 6.18).
bool may_be_the_source(int number) {
  return number == EINVAL || number == ENETUNREACH || number == EADDRNOTAVAIL;
}

bool is_full(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

}  // namespace

Result<std::unique_ptr<UdpSocket>, Error> UdpSocket::open(const UdpOptions& options) {
  const bool both = options.bind.address == Address{};
  sa_family_t family = options.bind.address.is_v4() ? AF_INET : AF_INET6;
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd && errno == EAFNOSUPPORT && both) {  // a kernel without IPv6
    family = AF_INET;
    fd = Fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  if (!fd) return Fail(system_error(errno, Errc::kInternal, "open a UDP socket"));
  std::unique_ptr<UdpSocket> socket(new UdpSocket(std::move(fd), family));
  socket->set_options(options);
  Endpoint local = options.bind;
  if (both && family == AF_INET) local.address = Address::v4(0);
  if (auto bound = socket->bind_to(local); !bound) return Fail(bound.error());
  return socket;
}

void UdpSocket::set_options(const UdpOptions& options) {
  set_buffers(fd_, options.buffer_bytes);
  set_v4_options(fd_, options);
  if (family_ == AF_INET6) {
    set_v6_options(fd_, options);
    set(fd_, IPPROTO_IPV6, IPV6_V6ONLY, options.bind.address == Address{} ? 0 : 1);
  } else {
    set(fd_, IPPROTO_IP, IP_PKTINFO, 1);
  }
  gro_ = options.gro && set(fd_, SOL_UDP, UDP_GRO, 1);
  gso_ = set(fd_, SOL_UDP, UDP_SEGMENT, 0);  // Linux 4.18; 0 is "none" and only asks if it is known
}

Result<void, Error> UdpSocket::bind_to(const Endpoint& local) {
  SocketAddress name{};
  socklen_t size = to_socket_address(local, family_, name);
  if (::bind(fd_.get(), &name.any, size) != 0) return Fail(bind_error(errno, local));
  size = sizeof name;
  if (::getsockname(fd_.get(), &name.any, &size) != 0) return Fail(bind_error(errno, local));
  local_ = to_endpoint(name);
  return {};
}

std::span<const Received> UdpSocket::receive(ReceiveBatch& batch) {
  for (std::size_t i = 0; i < batch.headers_.size(); ++i) {
    batch.vectors_[i] = {batch.slot(i).data(), batch.slot_bytes_};
    msghdr& header = batch.headers_[i].msg_hdr;
    header = {};
    header.msg_name = &batch.names_[i];
    header.msg_namelen = sizeof batch.names_[i];
    header.msg_iov = &batch.vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = batch.controls_[i].bytes.data();
    header.msg_controllen = batch.controls_[i].bytes.size();
  }
  batch.received_.clear();
  const int count = ::recvmmsg(fd_.get(), batch.headers_.data(),
                               static_cast<unsigned>(batch.headers_.size()), 0, nullptr);
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    mmsghdr& header = batch.headers_[i];
    if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      ++truncated_;
      continue;
    }
    Received one;
    one.from = to_endpoint(batch.names_[i]);
    one.bytes = batch.slot(i).first(header.msg_len);
    read_control(header.msg_hdr, one);
    batch.received_.push_back(one);
  }
  return batch.received_;
}

void UdpSocket::prepare(SendBatch& batch, std::size_t i) const {
  const Outgoing& message = batch.messages_[i];
  msghdr& header = batch.headers_[i].msg_hdr;
  batch.vectors_[i] = {const_cast<std::byte*>(message.bytes.data()), message.bytes.size()};
  header = {};
  header.msg_name = &batch.names_[i];
  header.msg_namelen = to_socket_address(message.to, family_, batch.names_[i]);
  header.msg_iov = &batch.vectors_[i];
  header.msg_iovlen = 1;
  header.msg_control = batch.controls_[i].bytes.data();
  header.msg_controllen = write_control(message, family_, true, batch.controls_[i].bytes);
}

// Prepares the messages that one sendmmsg may take; 0 when the first one must go by segment.
std::size_t UdpSocket::prepare_run(SendBatch& batch) const {
  const bool segments = gso();
  std::size_t end = batch.first_;
  while (end < batch.messages_.size()) {
    const Outgoing& message = batch.messages_[end];
    const bool several = message.segment_size != 0 && message.bytes.size() > message.segment_size;
    if (several && (!segments || (end == batch.first_ && batch.offset_ > 0))) break;
    prepare(batch, end++);
  }
  return end - batch.first_;
}

SendReport UdpSocket::send(SendBatch& batch) {
  batch.failures_.clear();
  const std::size_t before = batch.first_;
  bool room = true;
  while (room && !batch.empty()) {
    const std::size_t run = prepare_run(batch);
    const int sent = run == 0 ? 0
                              : ::sendmmsg(fd_.get(), batch.headers_.data() + batch.first_,
                                           static_cast<unsigned>(run), 0);
    if (sent > 0) {
      batch.first_ += static_cast<std::size_t>(sent);
    } else if (sent < 0 && is_full(errno)) {
      room = false;
    } else {
      // EIO: the way out has no checksum offload, without which the kernel does not segment.
      if (sent < 0 && errno == EIO) disable_gso();
      room = send_by_segment(batch);
    }
  }
  SendReport report{batch.first_ - before, !room, batch.failures_};
  if (batch.empty()) batch.clear();
  return report;
}

// One datagram by itself. 0, or errno.
int UdpSocket::send_one(const Outgoing& message) const {
  alignas(cmsghdr) std::array<std::byte, 128> control;
  SocketAddress name;
  iovec vector{const_cast<std::byte*>(message.bytes.data()), message.bytes.size()};
  msghdr header{};
  header.msg_name = &name;
  header.msg_namelen = to_socket_address(message.to, family_, name);
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = write_control(message, family_, false, control);
  return ::sendmsg(fd_.get(), &header, 0) < 0 ? errno : 0;
}

// The first message, one datagram per call from offset_ on. False: the socket is full.
bool UdpSocket::send_by_segment(SendBatch& batch) {
  const Outgoing& message = batch.messages_[batch.first_];
  bool reported = false;
  const auto report = [&](const Outgoing& datagram, SendError why, int number) {
    if (reported) return;
    batch.failures_.push_back({message.to, message.source, datagram.bytes.size(), why, number});
    reported = true;
  };
  Outgoing datagram = message;
  while (batch.offset_ < message.bytes.size() || message.bytes.empty()) {
    const ConstBytes rest = message.bytes.subspan(batch.offset_);
    const std::size_t size = message.segment_size == 0 ? rest.size() : message.segment_size;
    datagram.bytes = rest.first(std::min(size, rest.size()));
    int number = send_one(datagram);
    if (may_be_the_source(number) && !datagram.source.is_unspecified()) {
      const int first = number;
      datagram.source = {};
      number = send_one(datagram);
      if (number == 0) report(datagram, SendError::kSourceGone, first);
    }
    if (is_full(number)) return false;
    if (number != 0) report(datagram, reason_of(number), number);
    batch.offset_ += datagram.bytes.size();
    if (message.bytes.empty()) break;
  }
  ++batch.first_;
  batch.offset_ = 0;
  return true;
}

int UdpSocket::receive_buffer_bytes() const {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size);
  return bytes / 2;  // socket(7): the kernel doubles the value and returns the double
}

}  // namespace ginnel::io
