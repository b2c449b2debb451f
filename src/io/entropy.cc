#include "io/entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "io/system_error.h"

namespace ginnel::io {

Result<Rng::Key, Error> entropy() {
  Rng::Key key{};
  for (std::size_t filled = 0; filled < key.size();) {
    const ssize_t got = ::getrandom(key.data() + filled, key.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(system_error(errno, Errc::kInternal, "read random bytes"));
    filled += static_cast<std::size_t>(got);
  }
  return key;
}

}  // namespace ginnel::io
