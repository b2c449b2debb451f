#include "cli/demo/transfer.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "cli/demo/enter.h"
#include "io/socket_address.h"
#include "io/system_error.h"

namespace ginnel::cli::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPatternBytes = 61 * 1024;  // no multiple of any segment or buffer
constexpr std::chrono::seconds kSilenceMax{5};    // without a byte, connection or acknowledgement

// What is sent, over and over: any byte that is lost, doubled or moved shows.
std::vector<char> pattern() {
  std::vector<char> out(kPatternBytes);
  std::uint32_t state = 1;
  for (char& c : out) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes' generator: any would do
    c = static_cast<char>(state >> 24);
  }
  return out;
}

Result<io::Fd, Error> tcp_socket(const std::string& network, sa_family_t family) {
  const auto visit = Visit::begin(network);
  if (!visit) return Fail(visit.error());
  io::Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return Fail(io::system_error(errno, Errc::kInternal, "TCP socket"));
  return socket;
}

class Run {
 public:
  explicit Run(const Transfer& what) : what_(what), pattern_(pattern()) {}
  Result<Transferred, Error> operator()();

 private:
  Result<void, Error> listen();
  Result<void, Error> connect();
  Result<void, Error> wait();
  Result<void, Error> accept();
  Result<void, Error> check_connection();
  Result<void, Error> send();
  Result<void, Error> receive();

  const Transfer& what_;
  const std::vector<char> pattern_;
  std::array<char, kPatternBytes> buffer_;
  Endpoint endpoint_;
  io::Fd listener_, sender_, receiver_;
  std::uint64_t sent_ = 0, received_ = 0;
  std::optional<Clock::time_point> started_;  // connected
  Clock::time_point heard_;                   // the last byte received
  bool all_sent_ = false;
  bool finished_ = false;                     // the receiver has seen the end
};

sa_family_t family_of(const Address& address) { return address.is_v4() ? AF_INET : AF_INET6; }

Result<void, Error> Run::listen() {
  const auto family = family_of(what_.address);
  auto socket = tcp_socket(what_.target, family);
  if (!socket) return Fail(socket.error());
  listener_ = *std::move(socket);
  io::SocketAddress address;
  socklen_t length = io::to_socket_address({what_.address, 0}, family, address);
  if (::bind(listener_.get(), &address.any, length) != 0 || ::listen(listener_.get(), 1) != 0 ||
      ::getsockname(listener_.get(), &address.any, &length) != 0)
    return Fail(io::system_error(errno, Errc::kInternal, "listen on " + what_.address.text()));
  endpoint_ = io::to_endpoint(address);
  return {};
}

Result<void, Error> Run::connect() {
  const auto family = family_of(what_.address);
  auto socket = tcp_socket(what_.source, family);
  if (!socket) return Fail(socket.error());
  sender_ = *std::move(socket);
  io::SocketAddress address;
  const socklen_t length = io::to_socket_address(endpoint_, family, address);
  if (::connect(sender_.get(), &address.any, length) != 0 && errno != EINPROGRESS)
    return Fail(io::system_error(errno, Errc::kUnreachable, "connect to " + endpoint_.text()));
  return {};
}

// Until any end has something to do.
Result<void, Error> Run::wait() {
  std::array<pollfd, 3> watched = {{{receiver_ ? receiver_.get() : listener_.get(), POLLIN, 0},
                                    {all_sent_ ? -1 : sender_.get(), POLLOUT, 0},
                                    {what_.interrupt_fd, POLLIN, 0}}};
  const int timeout = static_cast<int>(std::chrono::milliseconds(kSilenceMax).count());
  const int ready = ::poll(watched.data(), watched.size(), timeout);
  if (watched[2].revents != 0) return Fail(Error{Errc::kCancelled, "interrupted", ""});
  if (ready == 0) {
    const auto code = started_ ? Errc::kTimeout : Errc::kUnreachable;
    return Fail(Error{code, "TCP to " + endpoint_.text() + ": no answer for 5 s", ""});
  }
  return {};
}

Result<void, Error> Run::accept() {
  if (receiver_) return {};
  receiver_ = io::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (receiver_) started_ = Clock::now();
  return {};
}

// Refused or unreachable: the kernel tells it once.
Result<void, Error> Run::check_connection() {
  int number = 0;
  socklen_t length = sizeof number;
  ::getsockopt(sender_.get(), SOL_SOCKET, SO_ERROR, &number, &length);
  if (number == 0) return {};
  return Fail(io::system_error(number, Errc::kUnreachable, "TCP to " + endpoint_.text()));
}

Result<void, Error> Run::send() {
  if (all_sent_) return {};
  if (!started_) return check_connection();
  if (Clock::now() >= *started_ + what_.duration) {
    // The socket stays open: closing it could reset what is under way.
    ::shutdown(sender_.get(), SHUT_WR);
    all_sent_ = true;
    return {};
  }
  const std::size_t at = sent_ % kPatternBytes;
  const ssize_t size =
      ::send(sender_.get(), pattern_.data() + at, kPatternBytes - at, MSG_NOSIGNAL);
  if (size > 0) sent_ += static_cast<std::uint64_t>(size);
  if (size < 0 && errno != EAGAIN && errno != EINTR)
    return Fail(io::system_error(errno, Errc::kUnreachable, "TCP to " + endpoint_.text()));
  return {};
}

Result<void, Error> Run::receive() {
  if (!receiver_) return {};
  const std::size_t at = received_ % kPatternBytes;
  const std::size_t most = kPatternBytes - at;
  const ssize_t size = ::recv(receiver_.get(), buffer_.data(), most, 0);
  if (size == 0) finished_ = true;
  if (size < 0 && errno != EAGAIN && errno != EINTR)
    return Fail(io::system_error(errno, Errc::kUnreachable, "TCP from the sender"));
  if (size <= 0) return {};
  if (std::memcmp(buffer_.data(), pattern_.data() + at, static_cast<std::size_t>(size)) != 0)
    return Fail(Error{Errc::kInternal, "TCP: other bytes arrive than were sent", ""});
  received_ += static_cast<std::uint64_t>(size);
  heard_ = Clock::now();
  return {};
}

Result<Transferred, Error> Run::operator()() {
  if (auto done = listen(); !done) return Fail(done.error());
  if (auto done = connect(); !done) return Fail(done.error());
  using Step = Result<void, Error> (Run::*)();
  while (!finished_) {
    for (const Step step : {&Run::wait, &Run::accept, &Run::send, &Run::receive})
      if (auto done = (this->*step)(); !done) return Fail(done.error());
  }
  if (received_ == 0 || received_ != sent_)
    return Fail(Error{Errc::kInternal, "TCP: the end came before all bytes had", ""});
  return Transferred{received_, std::chrono::duration<double>(heard_ - *started_).count()};
}

}  // namespace

Result<Transferred, Error> transfer(const Transfer& what) { return Run(what)(); }

std::string bit_rate_text(double bits_per_second) {
  const double megabits = bits_per_second / 1e6;
  char text[64];
  if (megabits < 999.95) std::snprintf(text, sizeof text, "%.1f Mbit/s", megabits);
  else std::snprintf(text, sizeof text, "%.1f Gbit/s", megabits / 1e3);
  return text;
}

}  // namespace ginnel::cli::demo
