#include "proto/wg/peer.h"

#include "base/assert.h"

namespace ginnel::wg {
namespace {

constexpr Nanoseconds kOwnNodeFirst = 250ms;
// When the second, third and fourth repetition are due, counted from the first initiation.
constexpr std::array<Nanoseconds, 3> kOwnNodeOffsets{1s, 3s, 7s};

}  // namespace

Peer::Peer(PeerHandle peer_handle, RemoteKeys remote, PeerConfig peer_config,
           Nanoseconds cookie_lifetime)
    : handle(peer_handle),
      keys(std::move(remote)),
      config(std::move(peer_config)),
      cookies(keys.public_key, cookie_lifetime),
      activity(std::make_shared<Activity>()),
      greatest_accepted(config.greatest_accepted) {}

KeyPair* Peer::sending_pair(Instant now) const {
  KeyPair* pair = pairs.current();
  return pair != nullptr && pair->can_send(now) ? pair : nullptr;
}

Nanoseconds Peer::handshake_spacing(const Config& device) const {
  return config.retransmission == Retransmission::kOwnNode ? kOwnNodeFirst : device.rekey_timeout;
}

Instant Peer::next_initiation(const Config& device, Nanoseconds jitter) const {
  GINNEL_ASSERT(attempt.has_value());
  GINNEL_ASSERT(last_handshake_sent.has_value());
  if (config.retransmission == Retransmission::kStock) {
    return *last_handshake_sent + device.rekey_timeout + jitter;
  }
  const Nanoseconds first = std::max(kOwnNodeFirst, 2 * config.rtt);
  const Instant earliest = *last_handshake_sent + first;
  if (attempt->sent <= 1) return earliest;
  const std::size_t step = attempt->sent - 2;
  if (step < kOwnNodeOffsets.size()) {
    return std::max(earliest, attempt->started + kOwnNodeOffsets[step]);
  }
  return *last_handshake_sent + std::max(first, device.rekey_timeout);
}

}  // namespace ginnel::wg
