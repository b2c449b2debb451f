#pragma once
#include "cli/verb.h"

namespace ginnel::cli {

// check, show, get, set, reload: all but the last work without a daemon.
std::vector<Verb> config_verbs();

}  // namespace ginnel::cli
