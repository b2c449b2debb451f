#include "io/tcp.h"

#include <netinet/tcp.h>

#include <cerrno>

#include "io/port_owner.h"
#include "io/socket_address.h"
#include "io/system_error.h"

namespace ginnel::io {
namespace {

constexpr int kBacklog = 512;

bool set(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

TcpStream::Outcome outcome(ssize_t size) {
  using Status = TcpStream::Status;
  if (size > 0) return {Status::kOk, static_cast<std::size_t>(size)};
  if (size == 0) return {Status::kEnd, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {Status::kWait, 0};
  return {Status::kFailed, 0};
}

Error bind_error(int number, const Endpoint& bind) {
  const std::string what = "listen on tcp://" + bind.text();
  if (number == EADDRINUSE) {
    const auto owner = port_owner(Transport::kTcp, bind);
    return {Errc::kPortBusy,
            what + ": port " + std::to_string(bind.port) + " is in use" +
                (owner ? " by " + owner->text() : std::string()),
            "stop that program, or choose another port"};
  }
  if (number == EADDRNOTAVAIL) {
    return {Errc::kConfigValue, what + ": no interface of this host has this address",
            "choose an address of this host"};
  }
  return system_error(number, Errc::kInternal, what);
}

}  // namespace

std::optional<TcpStream> TcpStream::dial(const Endpoint& to) {
  const sa_family_t family = to.address.is_v4() ? AF_INET : AF_INET6;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::nullopt;
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  SocketAddress name{};
  const socklen_t size = to_socket_address(to, family, name);
  if (::connect(fd.get(), &name.any, size) != 0 && errno != EINPROGRESS) return std::nullopt;
  return TcpStream(std::move(fd), to);
}

TcpStream::Outcome TcpStream::read(Bytes out) {
  return outcome(::recv(fd_.get(), out.data(), out.size(), 0));
}

TcpStream::Outcome TcpStream::write(ConstBytes bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  // Before a connection is there, the kernel says ENOTCONN where it means "not yet".
  if (sent < 0 && errno == ENOTCONN) return {Status::kWait, 0};
  return outcome(sent);
}

void TcpStream::give_up_after(Nanoseconds silence) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(silence).count();
  set(fd_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(count));
}

void TcpStream::shut_down() { ::shutdown(fd_.get(), SHUT_WR); }

Result<std::unique_ptr<TcpListener>, Error> TcpListener::open(const Endpoint& bind) {
  const bool both = bind.address == Address{};
  const sa_family_t family = bind.address.is_v4() ? AF_INET : AF_INET6;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Fail(system_error(errno, Errc::kInternal, "open a TCP socket"));
  // Connections of a previous run may linger; a listener that lives still keeps its port.
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (family == AF_INET6) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1);
  SocketAddress name{};
  socklen_t size = to_socket_address(bind, family, name);
  if (::bind(fd.get(), &name.any, size) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return Fail(bind_error(errno, bind));
  }
  size = sizeof name;
  if (::getsockname(fd.get(), &name.any, &size) != 0) return Fail(bind_error(errno, bind));
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(fd), to_endpoint(name)));
}

Result<TcpStream, TcpListener::Refusal> TcpListener::accept() {
  SocketAddress name{};
  socklen_t size = sizeof name;
  Fd fd(::accept4(fd_.get(), &name.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return Fail(exhausted ? Refusal::kExhausted : Refusal::kNobody);
  }
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return TcpStream(std::move(fd), to_endpoint(name));
}

}  // namespace ginnel::io
