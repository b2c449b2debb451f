// The version that `status` shows; CMake's project() says it once.
#pragma once
#include <string_view>

namespace ginnel::runtime {

inline constexpr std::string_view kVersion = GINNEL_VERSION;

}  // namespace ginnel::runtime
