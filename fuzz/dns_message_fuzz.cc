// A DNS question of any bytes: read, looked up and answered; the answer is well-formed and never
// longer than a question without EDNS allows.
#include <array>

#include "base/assert.h"
#include "base/reader.h"
#include "runtime/names/name_table.h"

using namespace ginnel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto query = dns::parse_query(std::as_bytes(std::span(data, size)));
  if (!query) return 0;
  runtime::NameTable names("home");
  names.set({{"bob", {*Address::parse("10.66.0.3"), *Address::parse("fd3a::3")}}});
  std::array<std::byte, dns::kMessageBytesMax> out{};
  const std::size_t written = dns::write_answer(*query, names.look_up(*query), out);
  GINNEL_ASSERT(written >= 12 + query->question.size());
  Reader r(ConstBytes(out).first(written));
  GINNEL_ASSERT(r.u16be() == query->id);
  GINNEL_ASSERT((r.u8() & 0x80) != 0);
  // What we answer is no query: two servers never talk to each other.
  GINNEL_ASSERT(!dns::parse_query(ConstBytes(out).first(written)));
  return 0;
}
