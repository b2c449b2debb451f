#include "cli/filter.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "io/fd.h"

namespace ginnel::cli {
namespace {

struct FilterPipe {
  io::Fd read, write;
};

// Also closed in what other threads start at the same time.
Result<FilterPipe, Error> open_filter_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Fail(Error{Errc::kFile, std::string("no pipe: ") + std::strerror(errno), ""});
  }
  return FilterPipe{io::Fd(ends[0]), io::Fd(ends[1])};
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const Filter::Variables& variables) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool replaced = std::ranges::any_of(
        variables, [&](const auto& variable) { return text.starts_with(variable.first + "="); });
    if (!replaced) out.emplace_back(text);
  }
  for (const auto& [name, value] : variables) out.push_back(name + "=" + value);
  return out;
}

// Writes as the program reads, and reads what it prints, until it has closed its output. False: it
// printed too much.
bool move_bytes(io::Fd& input, const io::Fd& output, std::string_view rest, std::string& out) {
  std::array<char, 64 * 1024> bytes;
  for (;;) {
    if (rest.empty()) input.close();
    std::array<pollfd, 2> watched = {{{output.get(), POLLIN, 0}, {input.get(), POLLOUT, 0}}};
    if (::poll(watched.data(), input ? 2 : 1, -1) < 0) {
      if (errno == EINTR) continue;
      return true;
    }
    if (input && watched[1].revents != 0) {
      const ssize_t put = ::write(input.get(), rest.data(), rest.size());
      // It need not read all that it is given (EPIPE).
      if (put < 0 && errno != EAGAIN && errno != EINTR) rest = {};
      if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
    }
    if (watched[0].revents == 0) continue;
    const ssize_t got = ::read(output.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    out.append(bytes.data(), static_cast<std::size_t>(got));
    if (out.size() > Filter::kOutputMax) return false;
  }
}

}  // namespace

Result<pid_t, Error> Filter::start(int input, int output) const {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // We ignore SIGPIPE; a program in a pipeline relies on it.
  sigset_t usual;
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const auto variables = environment_with(variables_);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, words_[0].c_str(), &files, &attributes,
                                    pointers_to(words_).data(), pointers_to(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed == 0) return pid;
  return Fail(Error{Errc::kFile, words_[0] + ": " + std::strerror(failed), ""});
}

Result<std::string, Error> Filter::run(std::string_view input) {
  auto in = open_filter_pipe();
  if (!in) return Fail(in.error());
  auto out = open_filter_pipe();
  if (!out) return Fail(out.error());
  const auto pid = start(in->read.get(), out->write.get());
  if (!pid) return Fail(pid.error());
  pid_ = *pid;
  in->read.close();
  out->write.close();
  (void)::fcntl(in->write.get(), F_SETFL, O_NONBLOCK);
  std::string printed;
  const bool fits = move_bytes(in->write, out->read, input, printed);
  if (!fits) stop();
  in->write.close();
  out->read.close();
  int status = 0;
  siginfo_t ended{};
  const auto id = static_cast<id_t>(*pid);
  while (::waitid(P_PID, id, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  pid_ = -1;  // before the number can be another program's
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!fits) return Fail(Error{Errc::kTooLarge, words_[0] + " printed more than 16 MiB", ""});
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return printed;
  const std::string how = WIFEXITED(status) ? "exit " + std::to_string(WEXITSTATUS(status))
                                            : "signal " + std::to_string(WTERMSIG(status));
  return Fail(Error{Errc::kReplyFailed, words_[0] + ": " + how, ""});
}

void Filter::stop() const {
  if (const pid_t pid = pid_; pid > 0) ::kill(pid, SIGTERM);
}

}  // namespace ginnel::cli
