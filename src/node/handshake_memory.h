// What of WireGuard's handshakes outlives the process: the last timestamp that we sent, so that a
// clock that was set back does not lock us out, and the greatest one accepted of each peer, so that
// an initiation captured before a restart is no use after it (the WireGuard paper, section 5.1).
//
//   HandshakeMemory memory = HandshakeMemory::parse(stored).value_or(HandshakeMemory());
//   memory.note_sent(now, device.last_timestamp_sent());
//   if (memory.take_due(now)) store(memory.write());
//
// A crash may forget the last kStoreSpacing. Pure. Allocates per peer, at most kPeersRemembered.
#pragma once
#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/instant.h"
#include "crypto/keys.h"
#include "proto/wg/timestamp.h"

namespace ginnel::node {

// Past it the peer with the oldest timestamp is forgotten: the one whose replay is least likely to
// find its session still there.
inline constexpr std::size_t kPeersRemembered = 4096;

class HandshakeMemory {
 public:
  static constexpr Nanoseconds kStoreSpacing = 10s;

  // version u8, last timestamp sent 12, then per peer: session key 32, greatest timestamp 12;
  // sorted by key. nullopt: not that.
  static std::optional<HandshakeMemory> parse(ConstBytes bytes);
  ByteVector write() const;

  const wg::Timestamp& last_sent() const { return last_sent_; }
  // All zero: nothing was accepted yet.
  wg::Timestamp greatest_accepted(const crypto::SessionPublic& key) const;

  void note_sent(Instant now, const wg::Timestamp& timestamp);
  void note_accepted(Instant now, const crypto::SessionPublic& key, const wg::Timestamp& timestamp);

  // True once when something new is to be stored and the last time is long enough ago.
  bool take_due(Instant now);
  // True once when anything is to be stored: the process ends.
  bool take_all();
  std::optional<Instant> next_timeout() const { return due_; }

 private:
  void touch(Instant now);

  wg::Timestamp last_sent_;
  std::map<crypto::SessionPublic, wg::Timestamp> greatest_;
  std::optional<Instant> due_;
  std::optional<Instant> stored_at_;
};

}  // namespace ginnel::node
