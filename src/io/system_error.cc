#include "io/system_error.h"

#include <cerrno>
#include <system_error>

namespace ginnel::io {

Error system_error(int number, Errc otherwise, const std::string& what) {
  const bool refused = number == EPERM || number == EACCES;
  return {refused ? Errc::kPermission : otherwise,
          what + ": " + std::system_category().message(number),
          {}};
}

}  // namespace ginnel::io
