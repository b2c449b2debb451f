// Times that the library's drivers share.
#pragma once
#include "base/instant.h"

namespace ginnel::runtime {

// How long what was sent may take to be acknowledged by the other side before the goodbye.
constexpr Nanoseconds kLinger = 1s;
// A change of the core that raises no event is seen after this time.
constexpr Nanoseconds kLook = 50ms;
// A loop without a deadline of its own looks at its stop flag at least so often.
constexpr Nanoseconds kRunWait = 60s;

}  // namespace ginnel::runtime
