#include "io/wakeup.h"

#include <sys/eventfd.h>

#include <cerrno>

#include "io/system_error.h"

namespace ginnel::io {

Result<Wakeup, Error> Wakeup::make() {
  Fd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return Fail(system_error(errno, Errc::kInternal, "make an eventfd"));
  return Wakeup(std::move(fd));
}

void Wakeup::notify() const {
  // Fails only when 2^64 - 2 notifications wait: the loop is woken by the first.
  [[maybe_unused]] const int done = ::eventfd_write(fd_.get(), 1);
}

void Wakeup::acknowledge() const {
  eventfd_t count = 0;
  [[maybe_unused]] const int done = ::eventfd_read(fd_.get(), &count);
}

}  // namespace ginnel::io
