#include "base/assert.h"
#include "node/ip_packet.h"

// An inner packet as the control path reads it: what it says of its size is there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  const auto header = node::parse_ip(std::as_bytes(std::span(data, size)));
  if (header) GINNEL_ASSERT(header->total_size <= size);
  return 0;
}
