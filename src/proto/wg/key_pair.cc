#include "proto/wg/key_pair.h"

#include "base/assert.h"

namespace ginnel::wg {

KeyPair::KeyPair(const TransportKeys& keys, Init init)
    : init_(std::move(init)),
      sealers_{crypto::Aead(keys.send), crypto::Aead(keys.send)},
      opener_(keys.receive) {
  GINNEL_ASSERT(init_.activity != nullptr);
}

// Compare and exchange rather than a bare addition: at the limit nothing may be added, or enough
// refused calls would carry the counter around to values that were used.
std::optional<std::uint64_t> KeyPair::reserve(std::uint64_t count) {
  GINNEL_ASSERT(count > 0);
  GINNEL_ASSERT(count <= kReserveMax);
  std::uint64_t first = next_counter_.load(std::memory_order_relaxed);
  do {
    if (first >= init_.reject_after_messages) return std::nullopt;
    if (count > init_.reject_after_messages - first) return std::nullopt;
  } while (!next_counter_.compare_exchange_weak(first, first + count, std::memory_order_relaxed));
  return first;
}

std::size_t KeyPair::seal(Sender sender, std::uint64_t counter, ConstBytes plaintext, Bytes out) {
  GINNEL_ASSERT(out.size() >= plaintext.size() + kDataOverheadBytes);
  GINNEL_ASSERT(DataHeader({init_.remote_index, counter}).write(out) == kDataHeaderBytes);
  crypto::Aead& sealer = sealers_[static_cast<std::size_t>(sender)];
  return kDataHeaderBytes + sealer.seal(counter, {}, plaintext, out.subspan(kDataHeaderBytes));
}

Result<Bytes, Drop> KeyPair::open(Instant now, Bytes packet) {
  const auto header = DataHeader::parse(packet);
  if (!header) return Fail(header.error());
  if (is_expired(now)) return Fail(Drop::kExpired);
  if (header->counter >= init_.reject_after_messages) return Fail(Drop::kCounterTooHigh);
  // Saves opening what would be refused; the window moves only below, after authentication.
  if (window_.is_stale(header->counter)) return Fail(Drop::kReplayed);
  const Bytes sealed = packet.subspan(kDataHeaderBytes);
  if (!opener_.open(header->counter, {}, sealed, sealed)) return Fail(Drop::kNotAuthentic);
  GINNEL_ASSERT(window_.accept(header->counter));
  first_received_ = true;
  return sealed.first(sealed.size() - crypto::kTagBytes);
}

bool KeyPair::take_first_received() {
  if (!first_received_ || first_received_taken_) return false;
  first_received_taken_ = true;
  return true;
}

}  // namespace ginnel::wg
