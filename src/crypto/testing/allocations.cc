#include "crypto/testing/allocations.h"

#include <atomic>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GINNEL_COUNT_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GINNEL_COUNT_ALLOCATIONS 0
#endif
#endif
#ifndef GINNEL_COUNT_ALLOCATIONS
#define GINNEL_COUNT_ALLOCATIONS 1
#endif

namespace {
std::atomic<std::uint64_t> count{0};
}

namespace ginnel::testing {
std::uint64_t allocations() { return count.load(std::memory_order_relaxed); }
bool allocations_are_counted() { return GINNEL_COUNT_ALLOCATIONS != 0; }
}  // namespace ginnel::testing

#if GINNEL_COUNT_ALLOCATIONS
// glibc lets a program put its own malloc before the library's, for every shared library too.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t n, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
}
#endif
