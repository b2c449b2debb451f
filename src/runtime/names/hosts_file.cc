#include "runtime/names/hosts_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/fd.h"

namespace ginnel::runtime {
namespace {

Error file_error(const std::filesystem::path& path, int number) {
  const bool denied = number == EACCES || number == EPERM || number == EROFS;
  return {denied ? Errc::kPermission : Errc::kFile,
          "cannot write names to " + path.string() + ": " + std::strerror(number),
          "make it writable, or set dns.names = \"off\""};
}

std::string begin_line(const Id& id) { return "# ginnel " + id.text() + " begin\n"; }
std::string end_line(const Id& id) { return "# ginnel " + id.text() + " end\n"; }

std::optional<std::string> read_all(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  if (status.st_size > static_cast<off_t>(kHostsBytesMax)) {
    errno = EFBIG;
    return std::nullopt;
  }
  std::string out(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = ::pread(fd, out.data(), out.size(), 0);
  if (got < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(got));
  return out;
}

// What is longer is written before what is left over is cut: a reader in between sees a whole file.
bool write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n =
        ::pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return ::ftruncate(fd, static_cast<off_t>(text.size())) == 0;
}

}  // namespace

std::string hosts_lines(const std::string& network,
                        std::vector<std::pair<std::string, std::string>> names) {
  std::ranges::sort(names);
  std::string out;
  for (const auto& [name, address] : names) {
    out += address + ' ' + name + ' ' + name + '.' + network + ".ginnel.internal\n";
  }
  return out;
}

std::string with_block(const std::string& text, const Id& id, const std::string& lines) {
  std::string out = text;
  const std::string begin = begin_line(id);
  const std::string end = end_line(id);
  const std::size_t from = out.find(begin);
  if (from != std::string::npos) {
    const std::size_t to = out.find(end, from);
    const std::size_t size = to == std::string::npos ? begin.size() : to + end.size() - from;
    out.erase(from, size);
  }
  if (lines.empty()) return out;
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out + begin + lines + end;
}

Result<void, Error> HostsFile::write(const std::string& lines) {
  if (lines == written_) return {};
  const io::Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return Fail(file_error(path_, errno));
  if (::flock(fd.get(), LOCK_EX) != 0) return Fail(file_error(path_, errno));
  const auto text = read_all(fd.get());
  if (!text) return Fail(file_error(path_, errno));
  if (!write_all(fd.get(), with_block(*text, id_, lines))) return Fail(file_error(path_, errno));
  written_ = lines;
  return {};
}

HostsFile::~HostsFile() { (void)write(""); }

}  // namespace ginnel::runtime
