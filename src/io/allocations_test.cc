// Replaces operator new for the whole test program. In a file of its own: where the compiler sees
// both it takes free() after new for a mistake.
#include "io/test_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> count{0};
}  // namespace

void* operator new(std::size_t size) {
  ++count;
  if (void* out = std::malloc(size)) return out;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace ginnel::io {
std::size_t allocations() { return count; }
}  // namespace ginnel::io
