// Whatever a socket receives, as a run of datagrams; and, sealed first, whatever a peer may send
// inside a session. What goes to the TUN device stays within the buffer.
//
// Input: u8 segment size (0: one datagram), then the bytes.
#include "base/assert.h"
#include "node/forward/receiver.h"

namespace {

using namespace ginnel;
using namespace ginnel::forward;

struct World {
  World() : receiver(4), out({.tcp = true, .udp = true}) {
    Rng rng = Rng::from_seed(1);
    const auto key = crypto::SymmetricKey::generate(rng);
    pair = std::make_unique<wg::KeyPair>(
        wg::TransportKeys{key.clone(), key.clone()},
        wg::KeyPair::Init{.local_index = wg::ReceiverIndex(1),
                          .remote_index = wg::ReceiverIndex(1),
                          .reject_after_time = 180s,
                          .reject_after_messages = ~std::uint64_t{0},
                          .activity = std::make_shared<wg::Activity>()});
    TableContents contents;
    Destination& to = contents.destinations.emplace_back();
    to.key_pair = pair.get();
    contents.routes = {{*Prefix::parse("0.0.0.0/0"), 0}, {*Prefix::parse("::/0"), 0}};
    Origin& from = contents.origins.emplace_back();
    from.key_pair = pair.get();
    from.ip_allowed = true;
    contents.attachments = {{relay::Index(1), {}, PathId(16)}};
    table = std::make_unique<ForwardingTable>(std::move(contents));
    for (std::uint32_t i = 1; i <= 2; ++i) {
      RelayChange add;
      add.attachment.index = relay::Index(i);
      receiver.apply({}, add);
    }
  }
  void receive(Bytes bytes, std::size_t segment_size) {
    const ReceivedRun run{{}, {}, bytes, segment_size};
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = receiver.handle({}, *table, run, at, out);
      GINNEL_ASSERT(n > 0);
      at += n;
      for (std::size_t i = 0, writes = out.tun.finish(); i < writes; ++i) {
        std::size_t size = 0;
        for (const ConstBytes part : out.tun.parts(i)) size += part.size();
        GINNEL_ASSERT(size <= kVnetHeaderBytes + 65'535);
      }
      out.clear();
    }
  }

  std::unique_ptr<wg::KeyPair> pair;
  std::unique_ptr<ForwardingTable> table;
  Receiver receiver;
  ReceiveOutput out;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 8192) return 0;
  static World world;
  const std::size_t segment_size = data[0];
  const ConstBytes input = std::as_bytes(std::span(data + 1, size - 1));
  ByteVector raw = to_vector(input);
  world.receive(raw, segment_size);
  // With the right tag, which no mutation would find.
  if (const auto header = relay::parse_header(input)) {
    raw = to_vector(input);
    relay::write_header(*header, {}, raw);
    world.receive(raw, 0);
  }

  ByteVector sealed;
  const std::size_t piece = segment_size == 0 ? input.size() : segment_size;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    const ConstBytes plaintext = input.subspan(at, std::min(piece, input.size() - at));
    const std::size_t begin = sealed.size();
    sealed.resize(begin + plaintext.size() + wg::kDataOverheadBytes);
    world.pair->seal(wg::Sender::kControl, *world.pair->reserve(1), plaintext,
                     Bytes(sealed).subspan(begin));
  }
  world.receive(sealed, piece + wg::kDataOverheadBytes);
  return 0;
}
