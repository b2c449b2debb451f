#pragma once
#include "cli/verb.h"

namespace ginnel::cli {

// show, export.
std::vector<Verb> wg_verbs();

}  // namespace ginnel::cli
