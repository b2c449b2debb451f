#include "gauge.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace ginnel::hostile {

// proc(5): sl, local address:port, remote, state, tx_queue:rx_queue, …, drops last; hexadecimal but
// for the drops.
std::optional<SocketState> socket_state(std::uint16_t port) {
  for (const char* table : {"/proc/net/udp", "/proc/net/udp6"}) {
    std::ifstream in(table);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      std::istringstream words(line);
      std::string slot, local, remote, state, queues, word, last;
      words >> slot >> local >> remote >> state >> queues;
      const auto colon = local.rfind(':');
      if (colon == std::string::npos || std::stoul(local.substr(colon + 1), nullptr, 16) != port) {
        continue;
      }
      while (words >> word) last = word;
      return SocketState{std::stoull(queues.substr(queues.find(':') + 1), nullptr, 16),
                         std::stoull(last)};
    }
  }
  return std::nullopt;
}

std::uint64_t resident_bytes(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace ginnel::hostile
