// What a Device keeps about one peer. Internal to the module: a table row with its invariants; the
// flow is the Device's.
#pragma once
#include <deque>

#include "base/timers.h"
#include "proto/wg/config.h"
#include "proto/wg/cookie.h"
#include "proto/wg/key_pairs.h"

namespace ginnel::wg {

enum class PeerTimer {
  kRetransmit,   // send the (next) initiation of the attempt
  kWipe,         // no new key pair for wipe_after(): forget every key
  kProvisional,  // remove the peer unless keep() was called
  kCount,
};

// From the wish for a session until there is one, or rekey_attempt_time has passed.
struct Attempt {
  Instant started;         // first initiation sent, or refused for want of a route
  std::uint32_t sent = 0;  // initiations
  bool has_begun = false;  // `started` is set
};

struct Outstanding {  // an initiation that waits for its response
  InitiatorHandshake handshake;
  ReceiverIndex index;
};

struct Peer {
  Peer(PeerHandle handle, RemoteKeys keys, PeerConfig config, Nanoseconds cookie_lifetime);

  // Usable for sending at `now`, or null.
  KeyPair* sending_pair(Instant now) const;
  // How soon after one handshake message the next initiation may follow.
  Nanoseconds handshake_spacing(const Config& device) const;
  // When the initiation after `attempt->sent` is due. `jitter`: 0..rekey_jitter.
  Instant next_initiation(const Config& device, Nanoseconds jitter) const;

  const PeerHandle handle;
  RemoteKeys keys;  // the public key changes when the peer renews its own
  PeerConfig config;
  std::optional<Route> route;     // where our packets go; only the owner sets it
  std::optional<Route> reported;  // the other source that was last reported to the owner
  CookieJar cookies;

  KeyPairs pairs;
  std::shared_ptr<Activity> activity;              // shared with every pair: see KeyPair::Init
  std::optional<ReceiverIndex> last_minute_tried;  // the pair that had its last-minute rekey

  std::optional<Attempt> attempt;              // set: kRetransmit runs
  std::optional<Outstanding> outstanding;      // set only during an attempt
  std::optional<Instant> last_handshake_sent;  // initiation or response
  std::optional<Instant> gave_up;              // when the last attempt failed

  Timestamp greatest_accepted;  // of its initiations
  std::optional<Instant> initiation_accepted;

  Timers<PeerTimer> timers;
  Nanoseconds unanswered_jitter{};  // of the present wait for an answer
  Instant persistent_since;         // when the persistent keepalive was last armed by us
  std::deque<ByteVector> staged;    // plaintexts that wait for a key pair
  bool is_flushing = false;         // in the Device's list of peers whose staged packets can go
};

}  // namespace ginnel::wg
