// A WireGuard endpoint: one static key, many peers (the WireGuard paper, sections 5 and 6).
//
//   Device device(config, SessionSecret::generate(rng), rng.fork("wg"), now, wall);
//   const PeerHandle bob = *device.add_peer(now, bob_key, {});
//   device.set_endpoint(now, bob, kSocket, bobs_endpoint);
//   device.seal(now, bob, plaintext, out);           // no session yet: staged, handshake begins
//   auto opened = device.open(now, kSocket, from, datagram);   // plaintext, in place
//   drain(device, now, outbox, on_event);            // handshakes, keepalives, staged packets
//
// A packet in: open() dispatches by type
//   1 initiation   mac1, cookie under load, whose key, newer than before -> response is queued
//   2 response     -> a key pair, current at once; staged packets or a keepalive follow
//   3 cookie reply -> kept for the next initiation
//   4 data         -> plaintext; the first one under `next` confirms it
// A packet out: seal() with the current key pair; without one the handshake begins.
//
// Only the owner moves a peer's endpoint; the Device reports where authenticated packets come from.
// Owned by one thread. Key pairs may be used by others meanwhile: key_pair.h says how; the thread
// that opens a pair's packets itself posts handle_data_facts.
#pragma once
#include <deque>
#include <map>
#include <variant>

#include "base/core.h"
#include "base/timers.h"
#include "proto/wg/load_gauge.h"
#include "proto/wg/peer.h"
#include "proto/wg/rate_limiter.h"
#include "proto/wg/receiver_table.h"
#include "proto/wg/unknown_initiators.h"

namespace ginnel::wg {

// The pair may be used for sending from now on. Initiator: on the response; responder: when the
// first packet under it came.
struct SessionEstablished {
  PeerHandle peer;
  ReceiverIndex index;  // of the pair
  bool is_initiator = false;
};
// An authenticated packet came from elsewhere than where ours go. Raised once per source.
struct Authenticated {
  PeerHandle peer;
  Route from;
};
// No answer for rekey_attempt_time. Staged packets are gone; new data begins a new attempt.
struct HandshakeFailed {
  PeerHandle peer;
};
// Who initiated proved to hold `key`. Answer with accept() or refuse() within provisional_time.
struct UnknownInitiator {
  crypto::SessionPublic key;
  Route from;
  InitiatorToken token;
};
// The provisional peer was not kept and is removed.
struct ProvisionalExpired {
  PeerHandle peer;
};
// A new pair to receive with. Borrowed until it comes back as KeyPairRetired.
struct KeyPairAdded {
  PeerHandle peer;
  KeyPair* key_pair = nullptr;
};
// The Device is done with it; whoever drops it last wipes its keys.
struct KeyPairRetired {
  PeerHandle peer;
  std::unique_ptr<KeyPair> key_pair;
};

// What open() made of a datagram. Everything but a cookie reply was authenticated.
struct Opened {
  MessageType type = MessageType::kData;
  PeerHandle peer;
  KeyPair* key_pair = nullptr;  // of a data message
  Bytes plaintext;              // of a data message, still padded; empty: a keepalive
};

// Why seal() wrote nothing.
enum class NotReady : std::uint8_t {
  kStaged,      // no session: a copy waits for one and will come out of poll_transmit
  kNoSuchPeer,  // nothing happened
  kTooLarge,    // for `out`, or to be staged; nothing happened
};

enum class PeerError : std::uint8_t {
  kExists,       // a peer has this key
  kOwnKey,       // it is this device's own
  kWeakKey,      // of small order
  kTooMany,      // kPeersMax, or kProvisionalMax
  kReplayed,     // its initiation is not newer than PeerConfig::greatest_accepted
  kNoSuchToken,  // never given, answered before, or expired
};               // all: state unchanged

class Device {
 public:
  using Event = std::variant<SessionEstablished, Authenticated, HandshakeFailed, UnknownInitiator,
                             ProvisionalExpired, KeyPairAdded, KeyPairRetired>;
  static constexpr std::size_t kPeersMax = 65'536;
  // Waiting initiations of unknown keys and provisional peers together; past it they are dropped.
  static constexpr std::size_t kProvisionalMax = 256;
  // Past this many a cookie is demanded before any Diffie-Hellman work.
  static constexpr std::size_t kProvisionalWithoutCookie = 64;
  static constexpr std::size_t kStagedMax = 128;          // per peer; past it the oldest is dropped
  static constexpr std::size_t kStagedBytesMax = 2048;    // of one packet
  static constexpr std::size_t kTransmitQueueMax = 4096;  // past it new ones are dropped
  // Past it Authenticated and UnknownInitiator are dropped; the others are bounded by the peers.
  static constexpr std::size_t kEventQueueMax = 8192;

  Device(const Config& config, crypto::SessionSecret key, Rng rng, Instant now, Wall wall);

  const crypto::SessionPublic& public_key() const { return local_.public_key; }
  // Wall time runs on from the last call by `now`; tell it when the wall clock was set.
  void set_wall(Instant now, Wall wall);

  Result<PeerHandle, PeerError> add_peer(Instant now, const crypto::SessionPublic& key,
                                         PeerConfig config);
  // Another static key of our own from now on. Key pairs that stand go on until they are renewed under
  // it; handshakes under way begin anew. Whoever does not know the new key reaches us no more.
  void change_key(Instant now, crypto::SessionSecret key);
  // Likewise of a peer, which has said so in its session. Errors: kExists, kOwnKey, kWeakKey,
  // kNoSuchToken (no such peer).
  Result<void, PeerError> change_peer_key(Instant now, PeerHandle peer,
                                          const crypto::SessionPublic& key);
  // Its key pairs come back as KeyPairRetired.
  void remove_peer(PeerHandle peer);
  void set_endpoint(Instant now, PeerHandle peer, PathId path, const Endpoint& endpoint);
  void set_rtt(PeerHandle peer, Nanoseconds rtt);
  void set_persistent_keepalive(Instant now, PeerHandle peer, Nanoseconds interval);
  // A provisional peer is one for good.
  void keep(PeerHandle peer);
  // Responds to the initiation that waits. Errors: kNoSuchToken, and those of add_peer.
  Result<PeerHandle, PeerError> accept(Instant now, InitiatorToken token, PeerConfig config);
  void refuse(InitiatorToken token);
  // Cookies are demanded while it is true, and whenever handshakes_per_second_max is passed.
  void set_under_load(bool under_load) { load_.force(under_load); }

  // Begins an attempt unless one is running. Sends at most one initiation per handshake spacing.
  void begin_handshake(Instant now, PeerHandle peer);

  // Takes any of the four messages; decrypts in place.
  Result<Opened, Drop> open(Instant now, PathId path, const Endpoint& from, Bytes datagram);
  // Seals with the current pair, padded; `out` has room for padded_size() + kDataOverheadBytes.
  // Returns the size of the datagram, which the caller sends.
  Result<std::size_t, NotReady> seal(Instant now, PeerHandle peer, ConstBytes plaintext, Bytes out);

  // From the thread that opened data itself, and noted it in the pair's activity.
  struct DataFacts {
    bool confirmed = false;     // KeyPair::take_first_received() was true
    std::optional<Route> from;  // of an authenticated packet
  };
  void handle_data_facts(Instant now, ReceiverIndex index, const DataFacts& facts);
  void handle_timeout(Instant now);

  // `out` must have room for a staged packet: kStagedBytesMax + kDataOverheadBytes at the most.
  std::optional<Transmit> poll_transmit(Instant now, Bytes out);
  std::optional<Event> poll_event();
  std::optional<Instant> next_timeout() const;

  std::optional<PeerHandle> find_peer(const crypto::SessionPublic& key) const;
  // Null: no such peer, or it has no pair to send with. Borrowed until KeyPairRetired.
  KeyPair* current_key_pair(PeerHandle peer) const;
  // To be saved by the owner, for Config and PeerConfig of the next run.
  const Timestamp& last_timestamp_sent() const { return stamps_.last(); }
  std::optional<Timestamp> greatest_timestamp_accepted(PeerHandle peer) const;
  std::size_t peers() const { return peers_.size(); }
  std::size_t receiver_indices() const { return receivers_.size(); }

 private:
  struct Arrival {
    Instant now;
    Route from;
  };
  struct Outgoing {
    Route to;
    std::size_t size = 0;
    std::array<std::byte, kInitiationBytes> bytes{};  // the longest message without payload
  };

  // device_receive.cc
  Result<Opened, Drop> handle_initiation(const Arrival& arrival, Bytes bytes);
  Result<Opened, Drop> handle_unknown(const Arrival& arrival, OpenedInitiation opened,
                                      const Initiation& message);
  Result<Opened, Drop> handle_response(const Arrival& arrival, Bytes bytes);
  Result<Opened, Drop> handle_cookie_reply(const Arrival& arrival, Bytes bytes);
  Result<Opened, Drop> handle_data(const Arrival& arrival, Bytes bytes);
  std::optional<Drop> refuse_unproven(const Arrival& arrival, ConstBytes message,
                                      ReceiverIndex sender, bool demand_cookie);
  Result<KeyPair*, Drop> respond(Peer& peer, const Arrival& arrival, const OpenedInitiation& opened,
                                 const Timestamp& timestamp);
  void confirm(Peer& peer);
  void report_source(Peer& peer, const Route& from);

  void begin_anew(Peer& peer, Instant now);

  // device_timers.cc
  void begin(Peer& peer, Instant now);
  void send_initiation(Peer& peer, Instant now);
  void retransmit_if_due(Peer& peer, Instant now);
  void give_up(Peer& peer, Instant now);
  void stop_attempt(Peer& peer);
  void send_keepalive(Peer& peer, Instant now);
  void keep_fresh(Peer& peer, Instant now);
  void run_timers(Peer& peer, Instant now);
  void run_activity_timers(Peer& peer, Instant now);
  void wipe_keys(Peer& peer);
  std::optional<Instant> persistent_deadline(const Peer& peer) const;
  std::optional<Instant> unanswered_deadline(const Peer& peer) const;
  std::optional<Instant> passive_deadline(const Peer& peer) const;
  std::optional<Instant> next_deadline(const Peer& peer, Instant now) const;
  void schedule(const Peer& peer, Instant now);

  // device.cc
  Peer* find(PeerHandle handle) const;
  Peer* find(const crypto::SessionPublic& key) const;
  std::size_t provisional() const { return unknown_.size() + provisional_peers_; }
  Result<PeerHandle, PeerError> insert_peer(Instant now, RemoteKeys keys, PeerConfig config);
  std::unique_ptr<KeyPair> make_pair(const Peer& peer, const TransportKeys& keys, Instant now,
                                     KeyPair::Init init);
  void announce(const Peer& peer, KeyPair* pair);
  void retire(const Peer& peer, KeyPairs::Retired& retired);
  void flush_staged(Peer& peer);
  void stage(Peer& peer, ConstBytes plaintext);
  std::optional<Transmit> transmit_staged(Instant now, Bytes out);
  Outgoing* enqueue(const Route& to);
  void raise(Event event);
  Nanoseconds jitter() { return rng_.between({}, config_.rekey_jitter); }
  Wall wall_at(Instant now) const { return wall_ + (now - wall_since_); }

  const Config config_;
  LocalKeys local_;
  Rng rng_;
  Wall wall_;
  Instant wall_since_;
  TimestampSource stamps_;
  CookieChecker checker_;
  RateLimiter limiter_;
  LoadGauge load_;
  UnknownInitiators unknown_;
  ReceiverTable receivers_;

  std::map<PeerHandle, std::unique_ptr<Peer>> peers_;
  std::map<crypto::SessionPublic, PeerHandle> handles_;  // the same peers by key
  std::uint32_t last_handle_ = 0;
  std::size_t provisional_peers_ = 0;  // those whose kProvisional timer runs
  // At or before each peer's next deadline: a deadline that moved away is found when this fires.
  DeadlineQueue<PeerHandle> deadlines_;

  std::deque<Outgoing> outgoing_;
  std::deque<PeerHandle> flushing_;  // peers whose staged packets can go out
  std::deque<Event> events_;
};
static_assert(TimedCore<Device>);

}  // namespace ginnel::wg
