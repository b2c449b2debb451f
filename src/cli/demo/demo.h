// The story itself: `ginnel demo`.
#pragma once
#include "cli/verb.h"

namespace ginnel::cli::demo {

// 0 only if every step did what it should; errors: kCancelled after ^C, and what failed.
Outcome run_demo(Context& context, const Arguments& arguments);

}  // namespace ginnel::cli::demo
