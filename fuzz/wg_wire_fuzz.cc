// The message codec alone: what parses is written back as it was, but for the MACs.
#include "base/assert.h"
#include "proto/wg/padding.h"
#include "proto/wg/wire.h"

namespace {

using namespace ginnel;
using namespace ginnel::wg;

template <class Message>
void round_trip(ConstBytes bytes, std::size_t compared) {
  const auto message = Message::parse(bytes);
  if (!message) return;
  ByteVector again(bytes.size());
  GINNEL_ASSERT(message->write(again) > 0);
  GINNEL_ASSERT(equal(ConstBytes(again).first(compared), bytes.first(compared)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteVector bytes = to_vector(std::as_bytes(std::span(data, size)));
  round_trip<Initiation>(bytes, kInitiationBytes - kMacsBytes);
  round_trip<Response>(bytes, kResponseBytes - kMacsBytes);
  round_trip<CookieReply>(bytes, kCookieReplyBytes);
  round_trip<DataHeader>(bytes, kDataHeaderBytes);
  const auto inner = without_padding(bytes);
  GINNEL_ASSERT(!inner || inner->size() <= bytes.size());
  return 0;
}
