// The two clocks. Only drivers read them; every core gets `now` as an argument.
//
// Any thread. Never allocates.
#pragma once
#include "base/instant.h"

namespace ginnel::io {

// Boot time: monotonic, and goes on while the machine sleeps, so that a laptop that wakes up sees
// at once which sessions are over.
Instant now();
// How long the machine has slept since it was booted.
Nanoseconds slept();
// UTC. May jump.
Wall wall();

}  // namespace ginnel::io
