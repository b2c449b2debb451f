// Host names to endpoints, by the system's resolver (/etc/hosts included, read again each time).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace ginnel::runtime {

// Every address of "HOST:PORT" or of a literal, in the resolver's order; empty: none. Blocks as long
// as the resolver does.
std::vector<Endpoint> resolve(std::string_view host_port);
std::vector<Endpoint> resolve(const std::string& host, std::uint16_t port);

}  // namespace ginnel::runtime
