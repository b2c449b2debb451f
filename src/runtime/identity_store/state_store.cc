#include "runtime/identity_store/state_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "io/fd.h"
#include "io/file.h"

namespace ginnel::identity {
namespace {

bool is_key(std::string_view name) { return name.ends_with(".key"); }

Error folder_error(const std::filesystem::path& folder, int number) {
  const bool denied = number == EACCES || number == EPERM || number == EROFS;
  return {denied ? Errc::kPermission : Errc::kFile, folder.string() + ": " + std::strerror(number),
          denied ? "run with sudo, or choose another folder with --dir"
                 : "choose another folder with --dir"};
}

// What was in the file does not stay on the disk as easily; file systems that copy on write may
// keep it all the same, so this is a courtesy, not a promise.
void overwrite(const std::filesystem::path& path) {
  const io::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  const ByteVector zeros(
      std::min<std::size_t>(static_cast<std::size_t>(info.st_size), kStateBytesMax));
  if (::write(fd.get(), zeros.data(), zeros.size()) > 0) ::fsync(fd.get());
}

Result<void, Error> remove_file(const std::filesystem::path& path) {
  overwrite(path);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Fail(folder_error(path, errno));
}

}  // namespace

bool is_state_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(name, allowed);
}

Result<StateStore, Error> StateStore::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return Fail(folder_error(folder, errno));
  if (::chmod(folder.c_str(), 0700) != 0) return Fail(folder_error(folder, errno));
  return StateStore(folder);
}

Result<std::optional<ByteVector>, Error> StateStore::get(std::string_view name) const {
  GINNEL_ASSERT(is_state_name(name));
  const auto path = folder_ / name;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<ByteVector>();
  auto bytes = io::read_file(path, {.bytes_max = kStateBytesMax, .secret = true});
  if (bytes) return std::optional(std::move(*bytes));
  Error error = bytes.error();
  if (error.code == Errc::kPermission) error.hint = "run as the folder's owner, or with sudo";
  if (is_key(name) && error.code != Errc::kKeyFileMode) error.code = Errc::kKeyUnreadable;
  return Fail(error);
}

Result<void, Error> StateStore::put(std::string_view name, ConstBytes bytes) const {
  GINNEL_ASSERT(is_state_name(name));
  return io::write_file(folder_ / name, bytes, {.mode = 0600});
}

Result<void, Error> StateStore::erase(std::string_view name) const {
  GINNEL_ASSERT(is_state_name(name));
  return remove_file(folder_ / name);
}

Result<void, Error> StateStore::erase_all() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (auto removed = remove_file(entry.path()); !removed) return removed;
  }
  if (::rmdir(folder_.c_str()) != 0 && errno != ENOENT) return Fail(folder_error(folder_, errno));
  return {};
}

}  // namespace ginnel::identity
