#include "base/assert.h"

#include <exception>

namespace ginnel {
namespace {
// The one mutable global of the pure rings: written once, on the way to std::terminate.
thread_local FailedAssertion failed;
}  // namespace

FailedAssertion failed_assertion() { return failed; }

void detail::assertion_failed(const FailedAssertion& what) {
  failed = what;
  std::terminate();
}

}  // namespace ginnel
