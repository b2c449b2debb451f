// Takes a datagram's message apart: compounds and compressed frames, in any order that memberlist
// allows, down to single messages.
//
//   struct Visitor {
//     void on_message(MessageType type, ConstBytes body);   // borrowed until it returns
//     void on_drop(Drop why);                               // a part that is no message
//   };
//   Unfolder(visitor).unfold(message);
//
// Bounded by kNestingMax and kDatagramPlainBytesMax, however the frames are nested.
#pragma once
#include "proto/swim/compound.h"
#include "proto/swim/frame.h"
#include "proto/swim/limits.h"

namespace ginnel::swim {

template <class Visitor>
class Unfolder {
 public:
  explicit Unfolder(Visitor& visitor) : visitor_(visitor) {}

  void unfold(ConstBytes message, int depth = 0) {
    if (message.empty()) return visitor_.on_drop(Drop::kEmpty);
    const auto type = static_cast<MessageType>(message[0]);
    const ConstBytes body = message.subspan(1);
    if (type != MessageType::kCompound && type != MessageType::kCompress) {
      return visitor_.on_message(type, body);
    }
    if (depth == kNestingMax) return visitor_.on_drop(Drop::kNested);
    if (type == MessageType::kCompound) unfold_compound(body, depth + 1);
    else unfold_compressed(body, depth + 1);
  }

 private:
  void unfold_compound(ConstBytes body, int depth) {
    auto parts = CompoundReader::parse(body);
    if (!parts) return visitor_.on_drop(parts.error());
    while (const auto part = parts->next()) unfold(*part, depth);
    // memberlist: what came whole is kept.
    if (parts->missing() > 0) visitor_.on_drop(Drop::kTooShort);
  }

  void unfold_compressed(ConstBytes body, int depth) {
    const auto plain = parse_compressed(body, plain_bytes_left_);
    if (!plain) return visitor_.on_drop(plain.error());
    plain_bytes_left_ -= plain->size();
    unfold(*plain, depth);
  }

  Visitor& visitor_;
  std::size_t plain_bytes_left_ = kDatagramPlainBytesMax;
};

}  // namespace ginnel::swim
