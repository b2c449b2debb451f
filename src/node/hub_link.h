// A node's attachment to one hub: it registers, keeps the heartbeat, and holds a copy of the hub's
// table E (docs/wire/ginnel.md section 7).
//
//        session_up            REGISTERED                  3 intervals without an ack
//   kDown ------> kRegistering ------> kOnline ------------------------> kDown (lost)
//     ^                                   |  session_down
//     +-----------------------------------+
//
//   if (link.register_due(now)) send(link.take_register(now));
//   if (link.heartbeat_due(now)) send(link.take_heartbeat(now));
//
// Pure; the node sends what is due and feeds what arrives.
#pragma once
#include "base/retry.h"
#include "node/table_copy.h"
#include "proto/control/registration.h"
#include "proto/path/prober.h"

namespace ginnel::node {

class HubLink {
 public:
  enum class State : std::uint8_t { kDown, kRegistering, kOnline };

  // An unanswered heartbeat is repeated this soon, so that one lost packet does not look like a
  // lost hub.
  static constexpr Nanoseconds kHeartbeatRetry = 500ms;
  static constexpr int kHeartbeatsLost = 3;
  // REGISTER is sent again this often although nothing changed.
  static constexpr Nanoseconds kRefresh = 30s;
  // Changes are announced at most this often.
  static constexpr Nanoseconds kAnnounceSpacing = 1s;

  HubLink(const crypto::NetworkPublic& network, Nanoseconds heartbeat)
      : table_(network), heartbeat_(heartbeat) {}

  State state() const { return state_; }
  // A session with the hub stands and both certificates are accepted.
  void session_up(Instant now);
  void session_down();
  // Our addresses or links changed.
  void announce(Instant now);

  bool register_due(Instant now) const { return register_.is_due(now); }
  // The caller adds network info and links.
  control::Register take_register(Instant now);
  bool heartbeat_due(Instant now) const;
  // The caller adds the revocation set's number and hash.
  control::Heartbeat take_heartbeat(Instant now);

  // True: news (the first answer of this session, or another index or address).
  bool handle_registered(Instant now, const control::Registered& message);
  // The round trip of this one, if it answers one of our last heartbeats.
  std::optional<Nanoseconds> handle_heartbeat_ack(Instant now, const control::HeartbeatAck& ack);
  // True once: the hub has been silent for kHeartbeatsLost intervals.
  bool take_lost(Instant now);

  TableCopy& table() { return table_; }
  const TableCopy& table() const { return table_; }
  // What the hub holds differs from our copy and nothing came for one interval.
  bool take_snapshot_request(Instant now);

  const std::optional<control::Registered>& registration() const { return registration_; }
  // Of the heartbeats, smoothed. nullopt: none answered yet.
  std::optional<Nanoseconds> rtt() const { return heartbeats_.rtt(); }
  // Of the last heartbeats, 0..1. nullopt: too few of them.
  std::optional<double> loss() const { return heartbeats_.loss(); }
  // The hub's revocation set, as its last heartbeat told.
  std::uint64_t hub_revocations_number() const { return hub_state_.revocations_number; }
  const control::RevocationsHash& hub_revocations_hash() const {
    return hub_state_.revocations_hash;
  }
  std::optional<Instant> next_timeout() const;

 private:
  Nanoseconds interval() const;
  // The newest REGISTER was.
  bool is_answered() const { return registration_ && registration_->sequence == sequence_; }

  TableCopy table_;
  Nanoseconds heartbeat_;
  State state_ = State::kDown;
  std::uint32_t sequence_ = 0;            // of REGISTER
  path::Prober heartbeats_{0};
  RetrySchedule register_{{.first = 250ms, .longest = 1s}};  // once answered: of the refresh
  std::optional<Instant> last_register_;
  std::optional<Instant> next_heartbeat_;
  Instant last_heartbeat_;                // meaningful while kOnline and one was sent
  Instant heard_;                         // last answer of any kind; kOnline
  std::optional<Instant> behind_since_;   // the hub's table went past our copy
  std::optional<control::Registered> registration_;
  control::Heartbeat hub_state_;
};

}  // namespace ginnel::node
