// GINNEL_ASSERT(condition): for our own bugs, never for bytes from the network. On in every build,
// release too. One condition each, so that the line says which one failed.
#pragma once

namespace ginnel {

// Where the process is about to end. Pure code has no output of its own: the program's terminate
// handler prints this.
struct FailedAssertion {
  const char* condition = nullptr;
  const char* file = nullptr;
  int line = 0;
};
// The assertion that failed on this thread; condition is null when none did.
FailedAssertion failed_assertion();

namespace detail {
[[noreturn]] void assertion_failed(const FailedAssertion& what);
}

}  // namespace ginnel

#define GINNEL_ASSERT(condition) \
  ((condition) ? void(0) : ::ginnel::detail::assertion_failed({#condition, __FILE__, __LINE__}))
