#include "cli/demo/enter.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

#include "io/system_error.h"

namespace ginnel::cli::demo {
namespace {

Result<void, Error> move_to(const std::string& path) {
  const io::Fd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!there) return Fail(io::system_error(errno, Errc::kFile, path));
  if (::setns(there.get(), CLONE_NEWNET) != 0)
    return Fail(io::system_error(errno, Errc::kPermission, "enter " + path));
  return {};
}

}  // namespace

Result<void, Error> enter(const std::string& network, const std::string& hosts) {
  if (!network.empty()) {
    if (auto moved = move_to("/run/netns/" + network); !moved) return moved;
  }
  if (hosts.empty()) return {};
  // What debootstrap makes has none, and only what is there can be covered: an empty one is.
  { const io::Fd there(::open("/etc/hosts", O_RDONLY | O_CREAT | O_CLOEXEC, 0644)); }
  const bool own = ::unshare(CLONE_NEWNS) == 0 &&
                   ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                   ::mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
  if (!own) return Fail(io::system_error(errno, Errc::kPermission, "an /etc/hosts of its own"));
  return {};
}

Result<Visit, Error> Visit::begin(const std::string& network) {
  if (network.empty()) return Visit(io::Fd());
  io::Fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home) return Fail(io::system_error(errno, Errc::kFile, "/proc/thread-self/ns/net"));
  if (auto moved = move_to("/run/netns/" + network); !moved) return Fail(moved.error());
  return Visit(std::move(home));
}

Visit::~Visit() {
  // It came from there a moment ago: the kernel has no reason to refuse.
  if (home_) ::setns(home_.get(), CLONE_NEWNET);
}

}  // namespace ginnel::cli::demo
