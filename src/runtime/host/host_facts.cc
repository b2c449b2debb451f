#include "runtime/host/host_facts.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "io/fd.h"
#include "io/tun.h"

namespace ginnel::host {
namespace {

std::optional<std::int64_t> number_in(const std::string& path) {
  std::ifstream in(path);
  std::int64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

// proc(5): "CapEff:\t0000003fffffffff".
bool has_net_admin() {
  constexpr unsigned kNetAdmin = 12;  // capabilities(7), linux/capability.h
  std::ifstream in("/proc/thread-self/status");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("CapEff:")) continue;
    return (std::strtoull(line.c_str() + 7, nullptr, 16) >> kNetAdmin & 1) != 0;
  }
  return false;
}

// Where the namespace does not show the file (before Linux 6.9), a socket without privilege tells:
// it is granted twice what it asks for, up to twice the limit (socket(7)).
std::optional<std::int64_t> read_receive_max() {
  if (const auto value = number_in(kReceiveMaxFile)) return value;
  const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int bytes = 1 << 30;
  socklen_t size = sizeof bytes;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) != 0 ||
      ::getsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size) != 0) {
    return std::nullopt;
  }
  return bytes / 2;
}

void add_filter(HostFacts& facts, const std::string& interface) {
  const auto value = number_in(kReversePathFolder + interface + "/rp_filter");
  if (value) facts.filters.push_back({interface, static_cast<int>(*value)});
}

void read_filters(HostFacts& facts) {
  add_filter(facts, "all");
  if (!facts.network) return;
  for (const io::Interface& interface : facts.network->interfaces) {
    if (interface.up && !interface.loopback) add_filter(facts, interface.name);
  }
}

// Opened as names/hosts_file.cc does, but for making it.
std::string hosts_trouble() {
  const io::Fd fd(::open("/etc/hosts", O_RDWR | O_CLOEXEC));
  return fd ? "" : std::strerror(errno);
}

}  // namespace

HostFacts read_host_facts(const HostReading& reading) {
  HostFacts out;
  out.net_admin = has_net_admin();
  if (reading.try_tun) {
    const auto tun = io::Tun::open({});
    if (!tun) out.tun_error = tun.error();
  }
  out.rmem_max = read_receive_max();
  if (const auto value = number_in("/proc/sys/net/ipv4/ip_forward")) {
    out.ip_forward = static_cast<int>(*value);
  }
  if (auto network = runtime::read_host_network()) out.network = *std::move(network);
  read_filters(out);
  out.hosts_trouble = hosts_trouble();
  return out;
}

}  // namespace ginnel::host
