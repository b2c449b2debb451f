#include "base/assert.h"
#include "base/base64.h"
#include "proto/control/token.h"

namespace {

using namespace ginnel;
using namespace ginnel::control;

void check(std::string_view text) {
  const auto token = parse_token(text);
  if (!token) return;
  const auto again = parse_token(token_text(*token));
  GINNEL_ASSERT(again.has_value());
  GINNEL_ASSERT(*again == *token);
}

}  // namespace

// As text; and as the inside of a token whose checksum is right, which no mutation would find.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstBytes bytes = std::as_bytes(std::span(data, size));
  check(text_of(bytes));
  const auto sum = crypto::blake2s_256({bytes_of("ginnel token v1"), bytes});
  ByteVector whole = to_vector(bytes);
  whole.insert(whole.end(), sum.begin(), sum.begin() + 4);
  check(std::string(kTokenPrefix) + to_base64(whole, Base64::kUrlSafe));
  return 0;
}
