// 1. The socket's inode from /proc/net/{udp,udp6} or {tcp,tcp6}.
// 2. The process with a descriptor "socket:[INODE]".
#include "io/port_owner.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/bytes.h"

namespace ginnel::io {
namespace {

namespace fs = std::filesystem;

// "0100007F" (IPv4) or 32 digits (IPv6): 32-bit words in the machine's byte order.
std::optional<Address> parse_address(std::string_view hex) {
  auto bytes = from_hex(hex);
  if (!bytes || (bytes->size() != 4 && bytes->size() != 16)) return std::nullopt;
  if constexpr (std::endian::native == std::endian::little) {
    for (std::size_t i = 0; i < bytes->size(); i += 4) {
      std::reverse(bytes->begin() + static_cast<std::ptrdiff_t>(i),
                   bytes->begin() + static_cast<std::ptrdiff_t>(i + 4));
    }
  }
  return Address::from_wire(*bytes);
}

std::optional<Endpoint> parse_local(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, colon));
  std::uint16_t port = 0;
  const char* last = text.data() + text.size();
  const auto [end, bad] = std::from_chars(text.data() + colon + 1, last, port, 16);
  if (!address || bad != std::errc{} || end != last) return std::nullopt;
  return Endpoint{*address, port};
}

bool keeps_from_binding(const Endpoint& held, const Endpoint& wanted) {
  return held.port == wanted.port &&
         (held.address == wanted.address || held.address.is_unspecified() ||
          wanted.address.is_unspecified());
}

// proc(5): "sl local_address rem_address st queues timer retrnsmt uid timeout inode".
void collect_inodes(const std::string& table, const Endpoint& wanted,
                    std::vector<std::string>& inodes) {
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);  // the heading
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> sl >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    const auto held = parse_local(local);
    if (held && keeps_from_binding(*held, wanted) && inode != "0") inodes.push_back(inode);
  }
}

// The first entry of the folder that `wanted` accepts. Processes come and go meanwhile, so every
// step may fail, and none may throw.
template <class Wanted>
std::optional<fs::path> find_entry(const fs::path& folder, Wanted&& wanted) {
  std::error_code bad;
  for (fs::directory_iterator it(folder, bad), end; !bad && it != end; it.increment(bad)) {
    if (wanted(it->path())) return it->path();
  }
  return std::nullopt;
}

bool is_one_of(const fs::path& descriptor, const std::vector<std::string>& inodes) {
  std::error_code gone;
  const std::string target = fs::read_symlink(descriptor, gone).string();
  return !gone && std::ranges::any_of(inodes, [&](const std::string& inode) {
    return target == "socket:[" + inode + "]";
  });
}

std::optional<pid_t> parse_pid(const std::string& name) {
  pid_t pid = 0;
  const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (bad != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

}  // namespace

std::string PortOwner::text() const { return program + " (pid " + std::to_string(pid) + ")"; }

std::optional<PortOwner> port_owner(Transport transport, const Endpoint& local) {
  // thread-self, not self: a thread may live in a network namespace of its own.
  const std::string table =
      std::string("/proc/thread-self/net/") + (transport == Transport::kUdp ? "udp" : "tcp");
  std::vector<std::string> inodes;
  collect_inodes(table, local, inodes);
  collect_inodes(table + "6", local, inodes);
  if (inodes.empty()) return std::nullopt;
  const auto process = find_entry("/proc", [&](const fs::path& folder) {
    return parse_pid(folder.filename().string()) &&
           find_entry(folder / "fd", [&](const fs::path& fd) { return is_one_of(fd, inodes); });
  });
  if (!process) return std::nullopt;
  PortOwner owner{*parse_pid(process->filename().string()), {}};
  std::ifstream comm(*process / "comm");
  std::getline(comm, owner.program);
  return owner;
}

}  // namespace ginnel::io
