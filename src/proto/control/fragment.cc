#include "proto/control/fragment.h"

#include <algorithm>

#include "proto/control/fields.h"

namespace ginnel::control {
namespace {

constexpr std::uint8_t kCount = 2;

ByteVector joined(ConstBytes first, ConstBytes second) {
  ByteVector out;
  out.reserve(first.size() + second.size());
  out.insert(out.end(), first.begin(), first.end());
  out.insert(out.end(), second.begin(), second.end());
  return out;
}

}  // namespace

Result<Fragment, Drop> parse_fragment(ConstBytes body) {
  Reader r(body);
  Fragment out;
  out.packet_id = r.u32le();
  out.index = r.u8();
  const std::uint8_t count = r.u8();
  out.part = r.rest();
  if (out.index >= kCount || count != kCount || out.part.empty()) return refused(r);
  if (out.part.size() > kFragmentPartBytesMax) return Fail(Drop::kTooLong);
  return finish(r, out);
}

void encode(const Fragment& fragment, Writer& w) {
  w.u32le(fragment.packet_id).u8(fragment.index).u8(kCount).put(fragment.part);
}

std::optional<std::array<Fragment, 2>> split(ConstBytes packet, std::uint32_t packet_id,
                                             std::size_t frame_bytes_max) {
  constexpr std::size_t kOverhead = kFrameHeaderBytes + kFragmentHeaderBytes;
  if (frame_bytes_max <= kOverhead || packet.size() < 2) return std::nullopt;
  const std::size_t room = std::min(frame_bytes_max - kOverhead, kFragmentPartBytesMax);
  if (packet.size() > 2 * room) return std::nullopt;
  const std::size_t first = std::min(room, packet.size() - 1);
  return std::array{Fragment{packet_id, 0, packet.first(first)},
                    Fragment{packet_id, 1, packet.subspan(first)}};
}

std::optional<ByteVector> Reassembler::add(Instant now, const Fragment& fragment) {
  expire(now);
  for (Half& half : halves_) {
    if (half.part.empty() || half.packet_id != fragment.packet_id) continue;
    if (half.index == fragment.index) return std::nullopt;
    const ByteVector other = std::exchange(half.part, {});
    return fragment.index == 0 ? joined(fragment.part, other) : joined(other, fragment.part);
  }
  Half& slot = oldest_or_free();
  if (!slot.part.empty()) ++lost_;
  slot = {fragment.packet_id, fragment.index, now, to_vector(fragment.part)};
  return std::nullopt;
}

void Reassembler::expire(Instant now) {
  for (Half& half : halves_) {
    if (half.part.empty() || now - half.since < kHalfLife) continue;
    half.part = {};
    ++lost_;
  }
}

Reassembler::Half& Reassembler::oldest_or_free() {
  return *std::ranges::min_element(halves_, [](const Half& a, const Half& b) {
    if (a.part.empty() != b.part.empty()) return a.part.empty();
    return a.since < b.since;
  });
}

}  // namespace ginnel::control
