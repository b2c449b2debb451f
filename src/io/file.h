// Files that must survive a crash: whole or not at all.
//
//   write_file("/etc/ginnel/key", bytes, {.mode = 0600});
//   auto text = read_file("/etc/ginnel/ginnel.toml", {.bytes_max = 1 << 20});
//   auto lock = LockFile::take("/etc/ginnel/lock");   // held until it goes
//
// Blocks on the disk: never on a forwarding thread.
#pragma once
#include <ginnel/error.h>
#include <sys/types.h>

#include <filesystem>

#include "base/bytes.h"
#include "io/fd.h"

namespace ginnel::io {

struct WriteOptions {
  mode_t mode = 0644;  // exactly this, whatever the umask
};
// Replaces the file in one step: temporary file in the same folder, fsync, rename, fsync of the
// folder. A crash leaves the old content or the new one.
// Errors: kFile, kPermission (both: the old content stays).
Result<void, Error> write_file(const std::filesystem::path& path, ConstBytes bytes,
                               const WriteOptions& options = {});

struct ReadOptions {
  std::size_t bytes_max = std::size_t{1} << 20;  // longer files are refused
  bool secret = false;  // refuse a file that group or others can read
};
// Errors: kFile (missing, longer than bytes_max, no regular file), kPermission, kKeyFileMode (the
// hint is the command that mends it).
Result<ByteVector, Error> read_file(const std::filesystem::path& path,
                                    const ReadOptions& options = {});

// An advisory lock, held as long as this object lives. The kernel drops it when the process ends in
// any way, so a stale lock cannot exist. The file stays and holds the process id for people to see.
class LockFile {
 public:
  // Errors: kAlreadyRunning (another holds it; the text has its process id), kFile, kPermission.
  static Result<LockFile, Error> take(const std::filesystem::path& path);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace ginnel::io
