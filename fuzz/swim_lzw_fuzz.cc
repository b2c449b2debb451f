#include "base/assert.h"
#include "proto/swim/lzw.h"

// Every input compresses and comes back; every input decompresses to a bounded value or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  const auto input = std::as_bytes(std::span(data, size));
  const auto back = swim::lzw_decompress(swim::lzw_compress(input), size);
  GINNEL_ASSERT(back.has_value());
  GINNEL_ASSERT(equal(*back, input));
  const auto plain = swim::lzw_decompress(input, 100'000);
  if (plain) GINNEL_ASSERT(plain->size() <= 100'000);
  return 0;
}
