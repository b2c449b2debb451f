// For tests: how often operator new was called so far, to hold hot paths to "never allocates".
#pragma once
#include <cstddef>

namespace ginnel::io {

std::size_t allocations();

}  // namespace ginnel::io
