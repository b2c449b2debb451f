// How the verbs talk to the daemon of their folder.
#pragma once
#include <functional>

#include "cli/document.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "runtime/control/client.h"

namespace ginnel::cli {

// Connects to the daemon of the arguments' folder; ^C ends every wait. Errors: kNotRunning,
// kPermission.
Result<control_api::Client, Error> connect(const Context& context, const Arguments& arguments);

// One question and its answer, printed: the document as it came with --json, else what `render`
// makes of it.
Outcome show(Context& context, const Arguments& arguments, const control_api::Query& query,
             const std::function<std::string(const Json&)>& render);

Style style_of(const Context& context);

// The value of a flag in seconds ("15", "2m"). Error: kUsage.
Result<std::optional<double>, Error> seconds_of(const Arguments& arguments, std::string_view flag,
                                                std::string_view verb);
// A whole number from `low` to `high`. Error: kUsage.
struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
Result<std::optional<std::int64_t>, Error> number_of(const Arguments& arguments,
                                                     std::string_view flag, const Bounds& bounds);

}  // namespace ginnel::cli
