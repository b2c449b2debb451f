// `ginnel doctor`: reads, judges, and with `fix` mends what is safe to mend.
//
//   const Diagnosis found = examine({.places = places, .get_environment = …});
//
// Blocks for a few seconds while hubs do not answer. Not thread-safe.
#pragma once
#include <vector>

#include "runtime/host/checks.h"

namespace ginnel::host {

struct DoctorOptions {
  identity::Places places;
  runtime::GetEnvironment get_environment;
  Daemon daemon;     // what the running one said; none: none runs
  bool fix = false;  // sysctl values and mode bits; nothing else is ever changed
};

struct Diagnosis {
  std::vector<Check> checks;       // after mending
  std::vector<std::string> mended;  // what was done, or why it could not be
};

Diagnosis examine(const DoctorOptions& options);

}  // namespace ginnel::host
