#include "io/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "io/system_error.h"

namespace ginnel::io {
namespace {

Error file_error(int number, const char* verb, const std::filesystem::path& path) {
  return system_error(number, Errc::kFile, std::string(verb) + " " + path.string());
}

// 0, or errno.
int write_all(int fd, ConstBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return 0;
}

// Without this the rename itself may be lost in a power cut.
int sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? 0 : errno;
}

int fill_temporary(const Fd& fd, ConstBytes bytes, mode_t mode) {
  // The mode first: the bytes of a key are never in a file that others can open.
  if (::fchmod(fd.get(), mode) != 0) return errno;
  if (const int number = write_all(fd.get(), bytes)) return number;
  return ::fsync(fd.get()) == 0 ? 0 : errno;
}

}  // namespace

Result<void, Error> write_file(const std::filesystem::path& path, ConstBytes bytes,
                               const WriteOptions& options) {
  std::string temporary = path.string() + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));  // made with mode 0600
  if (!fd) return Fail(file_error(errno, "write", path));
  int number = fill_temporary(fd, bytes, options.mode);
  if (number == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) number = errno;
  if (number != 0) {
    ::unlink(temporary.c_str());
    return Fail(file_error(number, "write", path));
  }
  number = sync_folder(path.parent_path());
  if (number != 0) return Fail(file_error(number, "write", path));
  return {};
}

Result<ByteVector, Error> read_file(const std::filesystem::path& path,
                                    const ReadOptions& options) {
  // O_NONBLOCK: a FIFO put in a file's place must not hang us.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Fail(file_error(errno, "read", path));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return Fail(file_error(errno, "read", path));
  if (!S_ISREG(status.st_mode)) {
    return Fail(Error{Errc::kFile, "read " + path.string() + ": not a regular file", {}});
  }
  if (options.secret && (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    return Fail(Error{Errc::kKeyFileMode, path.string() + ": others can read it",
                      "chmod 600 " + path.string()});
  }
  ByteVector bytes(options.bytes_max + 1);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(file_error(errno, "read", path));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > options.bytes_max) {
    return Fail(Error{Errc::kFile,
                      "read " + path.string() + ": longer than " +
                          std::to_string(options.bytes_max) + " bytes",
                      {}});
  }
  bytes.resize(size);
  return bytes;
}

Result<LockFile, Error> LockFile::take(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return Fail(file_error(errno, "lock", path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Fail(file_error(errno, "lock", path));
    std::array<char, 16> text{};
    const ssize_t got = ::read(fd.get(), text.data(), text.size() - 1);
    int pid = 0;
    if (got > 0) std::from_chars(text.data(), text.data() + got, pid);
    const std::string who = pid > 0 ? "process " + std::to_string(pid) : "another process";
    return Fail(Error{Errc::kAlreadyRunning, path.string() + ": " + who + " holds it", {}});
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  int number = ::ftruncate(fd.get(), 0) == 0 ? 0 : errno;
  if (number == 0) number = write_all(fd.get(), bytes_of(pid));
  if (number != 0) return Fail(file_error(number, "lock", path));
  return LockFile(std::move(fd));
}

}  // namespace ginnel::io
