#include "base/address.h"

#include "base/assert.h"

// What parses prints, and what it prints parses to the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto a = Address::parse(text)) GINNEL_ASSERT(Address::parse(a->text()) == a);
  if (const auto e = Endpoint::parse(text)) GINNEL_ASSERT(Endpoint::parse(e->text()) == e);
  if (const auto p = Prefix::parse(text)) GINNEL_ASSERT(Prefix::parse(p->text()) == p);
  return 0;
}
