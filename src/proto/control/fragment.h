// FRAGMENT: an inner packet that is larger than the path allows, in two parts (docs/wire/ginnel.md
// section 10).
//
//   if (auto parts = split(packet, next_id++, room)) for (auto& part : *parts) send(part);
//   if (auto packet = reassembler.add(now, *fragment)) handle(*packet);
//
//     0  packet id u32le    4  index u8 (0 | 1)    5  count u8 = 2    6  bytes, to the end
#pragma once
#include <ginnel/result.h>

#include <array>
#include <optional>

#include "base/instant.h"
#include "proto/control/frame.h"

namespace ginnel::control {

inline constexpr std::size_t kFragmentHeaderBytes = 6;
inline constexpr std::size_t kFragmentPartBytesMax = 4096;

// Borrows from the frame or the packet.
struct Fragment {
  static constexpr FrameType kType = FrameType::kFragment;

  std::uint32_t packet_id = 0;
  std::uint8_t index = 0;
  ConstBytes part;
};
// Errors: kBadField (index, count, no bytes), kTooLong (a part over 4096 bytes).
Result<Fragment, Drop> parse_fragment(ConstBytes body);
void encode(const Fragment& fragment, Writer& w);

// Both parts, the first as long as `frame_bytes_max` (the frame with its header) allows.
// nullopt: two parts do not hold the packet, or it is shorter than two bytes.
std::optional<std::array<Fragment, 2>> split(ConstBytes packet, std::uint32_t packet_id,
                                             std::size_t frame_bytes_max);

// One session's packets of which one half is there. Holds at most kHalvesMax of them for kHalfLife;
// the oldest goes first. Allocates for the parts it keeps.
class Reassembler {
 public:
  static constexpr std::size_t kHalvesMax = 16;
  static constexpr Nanoseconds kHalfLife = 1s;

  // The whole packet, when this part was the one missing. A part that is there already is dropped:
  // the first one wins.
  std::optional<ByteVector> add(Instant now, const Fragment& fragment);
  // Halves whose other half did not come in time, or that had to make room.
  std::uint64_t lost() const { return lost_; }

 private:
  struct Half {
    std::uint32_t packet_id = 0;
    std::uint8_t index = 0;
    Instant since;
    ByteVector part;  // empty: the slot is free
  };
  void expire(Instant now);
  Half& oldest_or_free();

  std::array<Half, kHalvesMax> halves_;
  std::uint64_t lost_ = 0;
};

}  // namespace ginnel::control
