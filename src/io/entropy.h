// Randomness from the kernel, once per node: everything else is forked from it (base/rng.h).
//
// Any thread. Never allocates.
#pragma once
#include <ginnel/error.h>

#include "base/rng.h"

namespace ginnel::io {

// 32 bytes from getrandom(2), which waits until the kernel's pool is initialised (early boot).
// Errors: kInternal when the kernel has no getrandom.
Result<Rng::Key, Error> entropy();

}  // namespace ginnel::io
