// How memberlist's numbers grow with the cluster (util.go).
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/instant.h"

namespace ginnel::swim {

// A broadcast is sent mult * ceil(log10(n + 1)) times by each member.
std::uint32_t retransmit_limit(std::uint32_t mult, std::size_t n);

// mult * max(1, log10(n)) * interval, the logarithm cut to three decimals.
Nanoseconds suspicion_timeout(std::uint32_t mult, std::size_t n, Nanoseconds interval);

// The interval up to 32 members, then one more of it for each doubling.
Nanoseconds push_pull_scaled(Nanoseconds interval, std::size_t n);

}  // namespace ginnel::swim
