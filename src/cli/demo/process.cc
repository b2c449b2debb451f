#include "cli/demo/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "cli/demo/enter.h"
#include "io/system_error.h"

namespace ginnel::cli::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kCannotRun = 127;  // as a shell says that a command was not found

struct Pipe {
  io::Fd read, write;
};

Result<Pipe, Error> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Fail(io::system_error(errno, Errc::kInternal, "demo: pipe"));
  return Pipe{io::Fd(ends[0]), io::Fd(ends[1])};
}

[[noreturn]] void give_up(const std::string& what) {
  const std::string text = what + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(kCannotRun);
}

// A terminal's ^C is for the demo alone, which then ends its children in order; when the demo is
// killed they go with it.
void become_child(pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotRun);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

// What the user has set is for his own node, not for those of the demo.
void clean_environment() {
  for (const char* name : {"GINNEL_DIR", "GINNEL_TOKEN", "GINNEL_LOG"}) ::unsetenv(name);
  ::setenv("LC_ALL", "C", 1);
}

[[noreturn]] void run_child(const Command& command, int input, int output) {
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  clean_environment();
  if (const auto entered = enter(command.network, command.hosts); !entered)
    give_up(entered.error().text);
  if (!command.folder.empty() && ::chdir(command.folder.c_str()) != 0)
    give_up(io::system_error(errno, Errc::kFile, command.folder).text);
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  give_up(io::system_error(errno, Errc::kFile, command.words[0]).text);
}

// glibc 2.36 declares its own pidfd_open without extern "C".
io::Fd open_pidfd(pid_t pid) { return io::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

// Cuts what came into lines. The last one may lack its end.
class Lines {
 public:
  explicit Lines(const Process::OnLine& on_line) : on_line_(on_line) {}

  void add(std::string_view bytes) {
    kept_.append(bytes.substr(0, std::min(bytes.size(), kOutputMax - kept_.size())));
    for (const char c : bytes) {
      if (c == '\n') flush();
      else line_.push_back(c);
    }
  }
  std::string finish() {
    if (!line_.empty()) flush();
    return std::move(kept_);
  }

 private:
  void flush() {
    if (on_line_) on_line_(line_);
    line_.clear();
  }
  const Process::OnLine& on_line_;
  std::string kept_, line_;
};

}  // namespace

Process::Process(pid_t pid, io::Fd end, io::Fd output)
    : pid_(pid), end_(std::move(end)), output_(std::move(output)) {}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), code_(other.code_), end_(std::move(other.end_)),
      output_(std::move(other.output_)) {}

Process::~Process() { stop(std::chrono::milliseconds(0)); }

Result<Process, Error> Process::start(const Command& command) {
  auto input = make_pipe();
  if (!input) return Fail(input.error());
  auto output = make_pipe();
  if (!output) return Fail(output.error());
  const bool fits = command.input.size() <= kInputMax;
  if (!fits) return Fail(Error{Errc::kTooLarge, "demo: too much input", ""});
  if (::write(input->write.get(), command.input.data(), command.input.size()) < 0)
    return Fail(io::system_error(errno, Errc::kInternal, "demo: pipe"));
  if (!command.output.empty()) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    *output = {io::Fd(), io::Fd(::open(command.output.c_str(), kFlags, 0600))};
    if (!output->write) return Fail(io::system_error(errno, Errc::kFile, command.output));
  }
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return Fail(io::system_error(errno, Errc::kInternal, "demo: fork"));
  if (child == 0) {
    become_child(parent);
    run_child(command, input->read.get(), output->write.get());
  }
  return Process(child, open_pidfd(child), std::move(output->read));
}

Result<Ended, Error> Process::finish(const Patience& patience, const OnLine& on_line) {
  Lines lines(on_line);
  std::array<char, 16 * 1024> bytes;
  while (output_ || pid_ >= 0) {
    // While it prints, the end of its output is the news; then its own end.
    std::array<pollfd, 2> watched = {{{output_ ? output_.get() : end_.get(), POLLIN, 0},
                                      {patience.interrupt_fd, POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), milliseconds_until(patience.end));
    if (ready < 0 && errno == EINTR) continue;
    if (watched[1].revents != 0) return Fail(Error{Errc::kCancelled, "interrupted", ""});
    if (ready <= 0) return Fail(Error{Errc::kTimeout, "it does not end", ""});
    if (!output_) {
      reap(0);
      continue;
    }
    const ssize_t size = ::read(output_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) output_.close();
    else lines.add({bytes.data(), static_cast<std::size_t>(size)});
  }
  return Ended{code_, lines.finish()};
}

bool Process::reap(int options) {
  int status = 0;
  if (pid_ < 0) return true;
  const pid_t got = ::waitpid(pid_, &status, options);
  if (got == 0 || (got < 0 && errno == EINTR)) return false;
  pid_ = -1;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool Process::runs() { return !reap(WNOHANG); }

void Process::stop(std::chrono::milliseconds grace) {
  if (!runs()) return;
  ::kill(pid_, grace.count() > 0 ? SIGTERM : SIGKILL);
  pollfd ended = {end_.get(), POLLIN, 0};
  const auto end = Clock::now() + grace;
  while (runs() && Clock::now() < end) ::poll(&ended, 1, milliseconds_until(end));
  if (pid_ >= 0) ::kill(pid_, SIGKILL);
  while (!reap(0)) {
  }
}

Result<std::string, Error> run_quietly(const Command& command, const Patience& patience) {
  auto process = Process::start(command);
  if (!process) return Fail(process.error());
  auto ended = process->finish(patience, {});
  if (!ended) return Fail(ended.error());
  if (ended->code == 0) return std::move(ended->output);
  std::string text = ended->output.substr(0, ended->output.find('\n'));
  if (text.empty()) text = command.words[0] + ": exit " + std::to_string(ended->code);
  return Fail(Error{Errc::kInternal, std::move(text), ""});
}

}  // namespace ginnel::cli::demo
