// Whatever a TUN device hands over: splits within its bytes, and every segment is what it says.
#include "base/assert.h"
#include "node/forward/transmitter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  using namespace ginnel::forward;
  const ConstBytes read = std::as_bytes(std::span(data, size));
  // A segment size of 1 makes as many segments as bytes: more input shows nothing new.
  if (size > 4096) return 0;
  static ByteVector segment(65'535);
  if (const auto packet = TunPacket::parse(read)) {
    std::size_t payload = 0;
    for (std::size_t i = 0; i < packet->segments(); ++i) {
      const std::size_t n = packet->write_segment(i, segment);
      GINNEL_ASSERT(n == packet->segment_bytes(i));
      GINNEL_ASSERT(n <= packet->segment_bytes(0));
      GINNEL_ASSERT(IpPacket::parse(Bytes(segment).first(n))->size == n);
      payload += n;
    }
    GINNEL_ASSERT(payload >= packet->bytes().size());
  }

  static Rng rng = Rng::from_seed(1);
  static const auto key = crypto::SymmetricKey::generate(rng);
  static wg::KeyPair pair({key.clone(), key.clone()},
                          {.local_index = wg::ReceiverIndex(1),
                           .reject_after_time = 180s,
                           .reject_after_messages = ~std::uint64_t{0},
                           .activity = std::make_shared<wg::Activity>()});
  const auto make_table = [](std::size_t mtu_bytes) {
    TableContents contents;
    Destination& to = contents.destinations.emplace_back();
    to.key_pair = &pair;
    to.mtu_bytes = mtu_bytes;
    // Half of the addresses, so that the other half is unreachable.
    contents.routes = {{*Prefix::parse("0.0.0.0/1"), 0}, {*Prefix::parse("::/1"), 0}};
    return ForwardingTable(std::move(contents));
  };
  static const ForwardingTable wide = make_table(1392);
  static const ForwardingTable narrow = make_table(300);
  static Transmitter transmitter;
  static SealedBatch batch;
  for (const ForwardingTable* table : {&wide, &narrow}) {
    while (transmitter.push({}, *table, read, batch).outcome == Outcome::kFull) batch.clear();
    batch.clear();
  }
  return 0;
}
