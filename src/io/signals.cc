#include "io/signals.h"

#include <sys/signalfd.h>

#include <cerrno>

#include "io/system_error.h"

namespace ginnel::io {

Result<Signals, Error> Signals::block(std::initializer_list<int> numbers) {
  sigset_t mask;
  sigset_t before;
  ::sigemptyset(&mask);
  for (const int number : numbers) ::sigaddset(&mask, number);
  Fd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Fail(system_error(errno, Errc::kInternal, "make a signalfd"));
  if (const int number = ::pthread_sigmask(SIG_BLOCK, &mask, &before)) {
    return Fail(system_error(number, Errc::kInternal, "block signals"));
  }
  return Signals(std::move(fd), before);
}

Signals::~Signals() {
  if (fd_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace ginnel::io
