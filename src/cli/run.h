// One command line, from its words to its exit code.
#pragma once
#include <string>
#include <vector>

#include <ginnel/error.h>
#include "cli/context.h"

namespace ginnel::cli {

// `words`: without the program's name.
int run(Context& context, const std::vector<std::string>& words);

// `ginnel: WHAT FAILED: WHY [E_CODE]` and `  -> WHAT TO DO NEXT`, or the JSON document. Further
// lines of the error's text (each problem of a configuration) come before these two.
std::string error_text(const Error& error, bool json);

}  // namespace ginnel::cli
