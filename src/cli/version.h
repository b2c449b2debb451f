#pragma once
#include <string_view>

namespace ginnel::cli {

extern const std::string_view kVersion;  // "0.1.0"
extern const std::string_view kCommit;   // of the sources, "unknown" outside a repository

}  // namespace ginnel::cli
