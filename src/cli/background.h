// `up` without --foreground: the daemon as a process of its own.
#pragma once
#include <ginnel/error.h>

#include "runtime/identity_store/places.h"

namespace ginnel::cli {

// Returns once the daemon is ready, or with the error that it failed with. Its log goes to
// state/daemon.log, which begins anew when it has grown past 10 MiB.
Result<void, Error> run_in_background(const identity::Places& places);

}  // namespace ginnel::cli
