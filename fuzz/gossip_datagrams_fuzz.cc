// The first byte: bit 0, a hello comes first. What comes out must not depend on how the stream is
// cut, and written again it is what came in.
#include <utility>

#include "base/assert.h"
#include "proto/swim/limits.h"
#include "runtime/gossip/datagram_framing.h"

namespace {

using namespace ginnel;

ByteVector feed_all(ConstBytes stream, std::size_t step, bool hello) {
  gossip::DatagramReader reader(hello);
  ByteVector out;
  bool greeted = false;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    reader.feed(stream.subspan(at, std::min(step, stream.size() - at)));
    for (;;) {
      const auto datagram = reader.next();
      if (reader.port() && !std::exchange(greeted, true)) {
        gossip::write_datagram_hello(*reader.port(), out);
      }
      if (!datagram) break;
      GINNEL_ASSERT(!datagram->empty() && datagram->size() <= swim::kDatagramBytesMax);
      gossip::write_framed(*datagram, out);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool hello = (data[0] & 1) != 0;
  const ConstBytes stream = std::as_bytes(std::span(data, size)).subspan(1);
  const ByteVector whole = feed_all(stream, std::max<std::size_t>(stream.size(), 1), hello);
  GINNEL_ASSERT(equal(whole, stream.first(std::min(whole.size(), stream.size()))));
  GINNEL_ASSERT(equal(whole, feed_all(stream, 1, hello)));
  return 0;
}
