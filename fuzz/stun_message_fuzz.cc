#include "base/assert.h"
#include "proto/stun/binding_server.h"

// What parses and is written parses to the same bytes again; an answer stays within 1.4 times.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  const auto input = std::as_bytes(std::span(data, size));
  ByteVector first(70'000);
  ByteVector second(70'000);
  const bool like_stun = stun::is_stun(input, stun::Accept::kOldRequestsToo);
  if (stun::is_stun(input, stun::Accept::kWithCookie)) GINNEL_ASSERT(like_stun);
  if (const auto m = stun::Message::parse(input)) {
    const std::size_t written = m->write(first);
    GINNEL_ASSERT(written >= stun::kHeaderBytes);
    const auto again = stun::Message::parse(ConstBytes(first).first(written));
    GINNEL_ASSERT(again.has_value());
    GINNEL_ASSERT(again->write(second) == written);
    GINNEL_ASSERT(equal(ConstBytes(first).first(written), ConstBytes(second).first(written)));
  }
  stun::BindingServer server(
      {.address = Address::v4(203, 0, 113, 9), .main_port = 7700, .probe_port = 7701});
  const Endpoint from{Address::v4(198, 51, 100, 7), 4164};
  const auto answer = server.handle_request({}, from, stun::ServerPort::kMain, input, first);
  if (answer) GINNEL_ASSERT((answer->size + 28) * 10 <= (size + 28) * 14);
  return 0;
}
