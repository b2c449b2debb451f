// Who holds a port: the line that turns "address in use" into something a person can act on.
//
//   if (auto owner = port_owner(Transport::kUdp, local)) owner->text();   // "nebula (pid 812)"
//
// Reads all of /proc/PID/fd: for error texts only. Allocates.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"

namespace ginnel::io {

enum class Transport : std::uint8_t { kUdp, kTcp };

struct PortOwner {
  pid_t pid = 0;
  std::string program;  // the kernel's name of it, at most 15 characters

  std::string text() const;
};

// The program whose socket keeps `local` from being bound: the same port, and the same address or
// either one a wildcard. nullopt: none, or of a user whose descriptors we may not see.
std::optional<PortOwner> port_owner(Transport transport, const Endpoint& local);

}  // namespace ginnel::io
