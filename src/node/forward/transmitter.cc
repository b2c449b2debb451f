#include "node/forward/transmitter.h"

#include <utility>

#include "base/assert.h"
#include "proto/control/fragment.h"
#include "proto/wg/padding.h"

namespace ginnel::forward {
namespace {

// Control fragments too, with ids that count up from 0; ours have the top bit, so that the two
// never name the same packet.
constexpr std::uint32_t kFragmentIdBase = std::uint32_t{1} << 31;

std::size_t front_bytes(const Destination& to) {
  return to.relay ? relay::kHeaderBytes : 0;
}

std::size_t sealed_bytes(const Destination& to, std::size_t plaintext) {
  return front_bytes(to) + wg::kDataOverheadBytes + wg::padded_size(plaintext, to.mtu_bytes);
}

// Where the plaintext goes within a slot.
Bytes plaintext_of(const Destination& to, Bytes slot) {
  const std::size_t front = front_bytes(to) + wg::kDataHeaderBytes;
  return slot.subspan(front, slot.size() - front - crypto::kTagBytes);
}

// `size`: what was written to plaintext_of(slot); zeros follow up to the slot's end (WireGuard
// section 5.4.6).
void seal_slot(const Destination& to, std::uint64_t counter, std::size_t size, Bytes slot) {
  const Bytes plaintext = plaintext_of(to, slot);
  std::ranges::fill(plaintext.subspan(size), std::byte{0});
  to.key_pair->seal(wg::Sender::kForwarding, counter, plaintext, slot.subspan(front_bytes(to)));
  if (to.relay) {
    relay::write_header({.source = to.relay->own, .destination = to.relay->destination},
                        to.relay->key, slot);
  }
}

void note_sent(Instant now, const Destination& to, std::uint64_t packets, std::uint64_t bytes) {
  if (packets == 0) return;
  to.traffic->note_sent(now, packets, bytes);
  to.key_pair->activity().note_sent(now, wg::Activity::Packet::kData);
}

}  // namespace

Transmitter::Transmitter() : next_fragment_(kFragmentIdBase), scratch_(kMtuBytesMax) {}

Pushed Transmitter::drop(Drop why) {
  drops_.count(why);
  next_segment_ = 0;
  return {};
}

Pushed Transmitter::to_control() {
  return {Outcome::kToControl, {}, std::exchange(next_segment_, 0)};
}

Pushed Transmitter::push(Instant now, const ForwardingTable& table, ConstBytes read,
                         SealedBatch& batch) {
  const auto packet = TunPacket::parse(read);
  if (!packet) return drop(packet.error());
  const Destination* const to = table.route(packet->ip().destination);
  if (to == nullptr) return refuse(now, *packet, nullptr);
  const bool is_too_big = packet->segment_bytes(0) > to->mtu_bytes;
  if (is_too_big && !to->slow) {
    const bool can_be_told =
        to->mtu_is_known && (packet->ip().is_v4 ? packet->ip().dont_fragment
                                                : to->mtu_bytes >= kIpv6MtuBytesMin);
    if (can_be_told || !to->takes_frames) return refuse(now, *packet, to);
  }
  if (to->slow || to->key_pair == nullptr || !to->key_pair->can_send(now)) {
    return to_control();
  }
  return is_too_big ? seal_fragments(now, *packet, *to, batch) : seal(now, *packet, *to, batch);
}

Pushed Transmitter::refuse(Instant now, const TunPacket& packet, const Destination* to) {
  Pushed out = drop(to == nullptr ? Drop::kNoRoute : Drop::kTooBig);
  if (to == nullptr) {
    out.answer = icmp_.unreachable(now, packet.bytes(), packet.ip());
  } else if (packet.ip().is_v4 || to->mtu_bytes >= kIpv6MtuBytesMin) {
    out.answer = icmp_.too_big(now, packet.bytes(), packet.ip(), to->mtu_bytes);
  }
  return out;
}

Pushed Transmitter::progress(const TunPacket& packet) {
  if (next_segment_ < packet.segments()) return {Outcome::kFull, {}};
  next_segment_ = 0;
  return {Outcome::kSealed, {}};
}

Pushed Transmitter::seal(Instant now, const TunPacket& packet, const Destination& to,
                         SealedBatch& batch) {
  // The first segment is the largest.
  const std::size_t count =
      std::min({packet.segments() - next_segment_,
                batch.room_for(sealed_bytes(to, packet.segment_bytes(0))),
                std::size_t{wg::KeyPair::kReserveMax}});
  if (count == 0) return {Outcome::kFull, {}};
  const auto first = to.key_pair->reserve(count);
  if (!first) return to_control();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i, ++next_segment_) {
    const std::size_t size = packet.segment_bytes(next_segment_);
    const Bytes slot = batch.claim(to.to, to.source, sealed_bytes(to, size));
    GINNEL_ASSERT(!slot.empty());
    packet.write_segment(next_segment_, plaintext_of(to, slot));
    seal_slot(to, *first + i, size, slot);
    bytes += size;
  }
  note_sent(now, to, count, bytes);
  return progress(packet);
}

// For a packet that nobody can be told to make smaller (docs/wire/ginnel.md section 10).
Pushed Transmitter::seal_fragments(Instant now, const TunPacket& packet, const Destination& to,
                                   SealedBatch& batch) {
  constexpr std::size_t kParts = 2;
  std::size_t done = 0;
  std::size_t bytes = 0;
  for (; next_segment_ < packet.segments(); ++next_segment_, ++done) {
    const std::size_t size = packet.segment_bytes(next_segment_);
    if (size > scratch_.size()) return drop(Drop::kTooBig);
    if (batch.room_for(sealed_bytes(to, to.mtu_bytes)) < kParts) break;
    packet.write_segment(next_segment_, scratch_);
    const ConstBytes segment = ConstBytes(scratch_).first(size);
    const auto parts = control::split(segment, next_fragment_, to.mtu_bytes);
    if (!parts) return drop(Drop::kTooBig);
    const auto first = to.key_pair->reserve(kParts);
    if (!first) return to_control();
    next_fragment_ = (next_fragment_ + 1) | kFragmentIdBase;
    for (std::size_t i = 0; i < kParts; ++i) {
      const std::size_t frame =
          control::kFrameHeaderBytes + control::kFragmentHeaderBytes + (*parts)[i].part.size();
      const Bytes slot = batch.claim(to.to, to.source, sealed_bytes(to, frame));
      GINNEL_ASSERT(control::write_frame((*parts)[i], plaintext_of(to, slot)) == frame);
      seal_slot(to, *first + i, frame, slot);
    }
    bytes += size;
  }
  note_sent(now, to, done, bytes);
  return progress(packet);
}

}  // namespace ginnel::forward
