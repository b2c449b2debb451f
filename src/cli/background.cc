// 1. A pipe, and a child in a session of its own.
// 2. The child runs the daemon; when it is ready it writes "ready", when it fails the error's
//    document, to the pipe.
// 3. The parent reads to the end of the pipe and returns what it says.
#include "cli/background.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "runtime/control/error_document.h"
#include "runtime/setup.h"

namespace ginnel::cli {
namespace {

constexpr std::string_view kReady = "ready";
constexpr off_t kLogBytesMax = off_t{10} << 20;

void write_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Standard input and output are nobody's any more; what the daemon logs goes to its file.
void detach(const identity::Places& places) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  const auto log = places.state / "daemon.log";
  struct stat info {};
  const bool full = ::stat(log.c_str(), &info) == 0 && info.st_size > kLogBytesMax;
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (full ? O_TRUNC : 0);
  const int file = ::open(log.c_str(), flags, 0600);
  ::dup2(file >= 0 ? file : null, STDERR_FILENO);
}

[[noreturn]] void run_child(const identity::Places& places, int pipe) {
  ::setsid();
  ::signal(SIGHUP, SIG_IGN);
  detach(places);
  const auto on_ready = [pipe] {
    write_text(pipe, kReady);
    ::close(pipe);
  };
  const auto ran = runtime::run_daemon({places, on_ready});
  if (!ran) write_text(pipe, control_api::error_document(ran.error()));
  ::_exit(ran ? 0 : exit_code(ran.error().code));
}

std::string read_to_end(int fd) {
  std::string out;
  char bytes[4096];
  while (true) {
    const ssize_t size = ::read(fd, bytes, sizeof bytes);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return out;
    out.append(bytes, static_cast<std::size_t>(size));
  }
}

}  // namespace

Result<void, Error> run_in_background(const identity::Places& places) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    return Fail(Error{Errc::kInternal, std::string("up: pipe: ") + std::strerror(errno), ""});
  const pid_t child = ::fork();
  if (child < 0)
    return Fail(Error{Errc::kInternal, std::string("up: fork: ") + std::strerror(errno), ""});
  if (child == 0) {
    ::close(pipe[0]);
    run_child(places, pipe[1]);
  }
  ::close(pipe[1]);
  const std::string said = read_to_end(pipe[0]);
  ::close(pipe[0]);
  if (said == kReady) return {};
  ::waitpid(child, nullptr, 0);
  const Error died{Errc::kInternal, "up: the daemon ended before it was ready",
                   "ginnel up --foreground, or read " + (places.state / "daemon.log").string()};
  return Fail(control_api::parse_error_document(said).value_or(died));
}

}  // namespace ginnel::cli
