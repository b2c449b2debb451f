// How many times this program asked for memory, by operator new or by malloc, calloc, realloc and
// aligned_alloc (where libcrypto hides). For tests that say "never allocates".
//
//   const auto before = allocations();
//   work();
//   EXPECT_EQ(allocations() - before, 0);
//
// Sanitizers bring their own malloc: allocations_are_counted() is false there.
#pragma once
#include <cstdint>

namespace ginnel::testing {

std::uint64_t allocations();
bool allocations_are_counted();

}  // namespace ginnel::testing
