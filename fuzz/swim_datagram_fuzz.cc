#include "base/assert.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim {
namespace {

// What parses is written again and then parses to the same bytes.
template <class Message>
void check(ConstBytes body) {
  const auto message = Message::parse(body);
  if (!message) return;
  const ByteVector first = encode(*message);
  const auto again = Message::parse(ConstBytes(first).subspan(1));
  GINNEL_ASSERT(again.has_value());
  GINNEL_ASSERT(equal(encode(*again), first));
}

struct Visitor {
  void on_message(MessageType type, ConstBytes body) {
    switch (type) {
      case MessageType::kPing: return check<Ping>(body);
      case MessageType::kIndirectPing: return check<IndirectPing>(body);
      case MessageType::kAck: return check<Ack>(body);
      case MessageType::kNack: return check<Nack>(body);
      case MessageType::kSuspect: return check<Suspect>(body);
      case MessageType::kAlive: return check<Alive>(body);
      case MessageType::kDead: return check<Dead>(body);
      case MessageType::kError: return check<ErrorReply>(body);
      default: return;
    }
  }
  void on_drop(Drop why) { GINNEL_ASSERT(why < Drop::kCount); }
};

}  // namespace
}  // namespace ginnel::swim

// The first byte chooses the framing: bit 0 keys, bit 1 label, bit 2 plain text allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  if (size == 0) return 0;
  swim::Framer framer({.label = (data[0] & 2) != 0 ? "blue" : "",
                       .verify_incoming = (data[0] & 4) == 0});
  ByteVector key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
  if ((data[0] & 1) != 0) framer.keys().install(*crypto::AesKey::from(key)).value();
  ByteVector scratch;
  const auto message = framer.open_datagram(std::as_bytes(std::span(data, size)).subspan(1), scratch);
  swim::Visitor visitor;
  if (message) swim::Unfolder(visitor).unfold(*message);
  return 0;
}
