#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "cli/parse.h"
#include "cli/run.h"

namespace {

int interrupt_pipe[2] = {-1, -1};

// Twice ^C ends the program however long the daemon takes.
void on_interrupt(int) {
  const int saved = errno;
  [[maybe_unused]] const ssize_t written = write(interrupt_pipe[1], "x", 1);
  signal(SIGINT, SIG_DFL);
  errno = saved;
}

// `up` runs the daemon and `gossip` a member, which have their own way with signals.
bool runs_daemon(const std::vector<std::string>& words) {
  const auto parsed = ginnel::cli::parse(words);
  if (!parsed || parsed->verb == nullptr || parsed->help) return false;
  return parsed->verb->name == "up" || parsed->verb->name == "gossip";
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::ios::sync_with_stdio(false);
  signal(SIGPIPE, SIG_IGN);
  umask(077);
  ginnel::cli::Context context{std::cin, std::cout, std::cerr};
  context.terminal = isatty(STDOUT_FILENO) == 1;
  context.colour = context.terminal && std::getenv("NO_COLOR") == nullptr;
  context.root = geteuid() == 0;
  context.get_environment = [](const char* name) -> const char* { return std::getenv(name); };
  if (!runs_daemon(words) && pipe2(interrupt_pipe, O_CLOEXEC) == 0) {
    context.interrupt_fd = interrupt_pipe[0];
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, nullptr);
  }
  return ginnel::cli::run(context, words);
}
