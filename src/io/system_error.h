// What the kernel refused, as an Error for the caller to act on.
//
//   if (::fsync(fd) != 0) return Fail(system_error(errno, Errc::kFile, "write " + path));
//
// Allocates its texts: never on a hot path.
#pragma once
#include <ginnel/error.h>

#include <string>

namespace ginnel::io {

// "WHAT: Permission denied". EPERM and EACCES become kPermission, all else `otherwise`.
Error system_error(int number, Errc otherwise, const std::string& what);

}  // namespace ginnel::io
