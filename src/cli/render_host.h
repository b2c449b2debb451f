// The documents of doctor and netcheck as text for people. Pure, as render.h.
#pragma once
#include <string>

#include "cli/render.h"

namespace ginnel::cli {

// A row per check, with what mends it below; first what was mended.
std::string render_checks(const Json& document, const Style& style);
std::string render_netcheck(const Json& document, const Style& style);

}  // namespace ginnel::cli
