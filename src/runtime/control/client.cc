#include "runtime/control/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "runtime/control/error_document.h"

namespace ginnel::control_api {
namespace {

// Longer header lines, or a longer body than any document of ours, is not our daemon.
constexpr std::size_t kHeadMax = std::size_t{16} << 10;
constexpr std::size_t kBodyMax = std::size_t{64} << 20;

Error not_running(const std::string& where) {
  return {Errc::kNotRunning, where + ": no daemon is running", "ginnel up"};
}
Error went_away() { return {Errc::kNotRunning, "the daemon went away", "ginnel up"}; }
Error no_answer() {
  return {Errc::kInternal, "the daemon's answer cannot be read", "ginnel version, on both"};
}

std::optional<std::size_t> parse_size(std::string_view text, int base) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, base);
  if (error != std::errc{} || end == text.data() || size > kBodyMax) return std::nullopt;
  return size;
}

bool starts_with_word(std::string_view line, std::string_view lower) {
  if (line.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if ((line[i] | 0x20) != lower[i] && line[i] != lower[i]) return false;
  }
  return true;
}

}  // namespace

Result<Client, Error> Client::connect(const std::filesystem::path& path) {
  const std::string name = path.string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return Fail(not_running(name));
  std::memcpy(address.sun_path, name.data(), name.size());
  Client client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (client.fd_ < 0)
    return Fail(Error{Errc::kFile, std::string("socket: ") + std::strerror(errno), ""});
  if (::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return client;
  if (errno == EACCES || errno == EPERM) {
    return Fail(Error{Errc::kPermission, name + ": permission denied",
                      "run as the daemon's user or group, or with sudo"});
  }
  return Fail(not_running(name));
}

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      interrupt_fd_(other.interrupt_fd_),
      timeout_(other.timeout_),
      in_(std::move(other.in_)) {}

Client& Client::operator=(Client&& other) noexcept {
  std::swap(fd_, other.fd_);
  interrupt_fd_ = other.interrupt_fd_;
  timeout_ = other.timeout_;
  in_ = std::move(other.in_);
  return *this;
}

Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string, Error> Client::call(const Query& query) {
  if (auto sent = send(query); !sent) return Fail(sent.error());
  const auto head = read_head();
  if (!head) return Fail(head.error());
  auto body = read_body(*head);
  if (!body || head->status == 200) return body;
  return Fail(parse_error_document(*body).value_or(no_answer()));
}

Result<void, Error> Client::stream(const Query& query,
                                   const std::function<bool(std::string_view)>& on_line,
                                   const std::function<void()>& on_open) {
  if (auto sent = send(query); !sent) return sent;
  const auto head = read_head();
  if (!head) return Fail(head.error());
  if (head->status != 200) {
    const auto body = read_body(*head);
    if (!body) return Fail(body.error());
    return Fail(parse_error_document(*body).value_or(no_answer()));
  }
  if (on_open) on_open();
  if (!head->chunked) {
    const auto body = read_body(*head);
    if (!body) return Fail(body.error());
    if (!body->empty()) on_line(*body);
    return {};
  }
  while (true) {  // each chunk is one line
    const auto chunk = read_chunk();
    if (!chunk) return Fail(chunk.error());
    if (chunk->empty()) return {};
    if (!on_line(std::string_view(*chunk).substr(0, chunk->find('\n')))) return {};
  }
}

void Client::taken() {
  // A full socket here means that the daemon has stopped reading; the stream will tell.
  [[maybe_unused]] const ssize_t sent = ::send(fd_, "\n", 1, MSG_NOSIGNAL);
}

io::Fd Client::process() const {
  ucred listener{};
  socklen_t size = sizeof listener;
  if (getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0) return {};
  if (listener.pid <= 0 || listener.pid == getpid()) return {};
  return io::Fd(static_cast<int>(syscall(SYS_pidfd_open, listener.pid, 0)));
}

Result<void, Error> Client::send(const Query& query) {
  std::string out = query.method + " " + query.target + " HTTP/1.1\r\nHost: ginnel\r\n";
  out += "Content-Type: application/json\r\nContent-Length: " + std::to_string(query.body.size());
  out += "\r\n\r\n" + query.body;
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t sent =
        ::send(fd_, out.data() + done, out.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      if (auto ready = wait(POLLOUT); !ready) return ready;
    } else if (errno != EINTR) {
      // The daemon may have refused the request half-way: its answer says why.
      return in_.empty() && errno != EPIPE ? Fail(went_away()) : Result<void, Error>{};
    }
  }
  return {};
}

Result<void, Error> Client::wait(short events) {
  const auto forever = std::chrono::hours(24 * 365);
  const auto end = std::chrono::steady_clock::now() +
                   (timeout_ ? std::min<std::chrono::nanoseconds>(*timeout_, forever) : forever);
  while (true) {
    pollfd fds[2] = {{fd_, events, 0}, {interrupt_fd_, POLLIN, 0}};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    constexpr std::int64_t kPollMax = 1'000'000;
    const int ready = poll(fds, interrupt_fd_ < 0 ? 1 : 2,
                           static_cast<int>(std::min<std::int64_t>(
                               std::max<std::int64_t>(left.count(), 0), kPollMax)));
    if (ready > 0 && fds[1].revents != 0) return Fail(Error{Errc::kCancelled, "interrupted", ""});
    if (ready > 0) return {};
    if (std::chrono::steady_clock::now() >= end)
      return Fail(Error{Errc::kTimeout, "the daemon gave no answer in time", "ginnel status"});
  }
}

Result<void, Error> Client::fill() {
  if (auto ready = wait(POLLIN); !ready) return ready;
  char bytes[65536];
  const ssize_t size = recv(fd_, bytes, sizeof bytes, 0);
  if (size <= 0) return Fail(went_away());
  in_.append(bytes, static_cast<std::size_t>(size));
  return {};
}

Result<std::string, Error> Client::read_until(std::string_view mark) {
  std::size_t at;
  while ((at = in_.find(mark)) == std::string::npos) {
    if (in_.size() > kHeadMax) return Fail(no_answer());
    if (auto filled = fill(); !filled) return Fail(filled.error());
  }
  std::string out = in_.substr(0, at);
  in_.erase(0, at + mark.size());
  return out;
}

Result<std::string, Error> Client::read_bytes(std::size_t size) {
  while (in_.size() < size) {
    if (auto filled = fill(); !filled) return Fail(filled.error());
  }
  std::string out = in_.substr(0, size);
  in_.erase(0, size);
  return out;
}

Result<Client::Head, Error> Client::read_head() {
  const auto text = read_until("\r\n\r\n");
  if (!text) return Fail(text.error());
  Head head;
  if (!text->starts_with("HTTP/1.1 ") || text->size() < 12) return Fail(no_answer());
  head.status = static_cast<int>(parse_size(std::string_view(*text).substr(9, 3), 10).value_or(0));
  for (std::size_t at = text->find("\r\n"); at != std::string::npos;
       at = text->find("\r\n", at + 2)) {
    const std::string_view line = std::string_view(*text).substr(at + 2);
    if (starts_with_word(line, "transfer-encoding: chunked")) head.chunked = true;
    constexpr std::string_view kLength = "content-length: ";
    if (!starts_with_word(line, kLength)) continue;
    const auto length = parse_size(line.substr(kLength.size()), 10);
    if (!length) return Fail(no_answer());
    head.length = *length;
  }
  return head;
}

Result<std::string, Error> Client::read_chunk() {
  const auto size_line = read_until("\r\n");
  if (!size_line) return Fail(size_line.error());
  const auto size = parse_size(*size_line, 16);
  if (!size) return Fail(no_answer());
  auto bytes = read_bytes(*size + 2);
  if (bytes) bytes->resize(*size);
  return bytes;
}

Result<std::string, Error> Client::read_body(const Head& head) {
  if (!head.chunked) return read_bytes(head.length);
  std::string out;
  while (true) {
    const auto chunk = read_chunk();
    if (!chunk || chunk->empty()) return chunk ? Result<std::string, Error>(out) : chunk;
    out += *chunk;
  }
}

}  // namespace ginnel::control_api
