// Redeems a join token: shakes hands with the hubs that the token names, sends JOIN, and ends with
// the certificate or the reason why not (docs/wire/ginnel.md section 6). A small core of its own,
// so that `ginnel join` needs no daemon.
//
//   Joiner joiner({.token = …, .endpoints = resolved}, identity, session, rng, now, wall);
//   drain(joiner, now, outbox, deliver);              // until joiner.outcome()
//
// All hubs are asked side by side; the first one that answers JOINED wins. A refusal by one hub is
// kept: it is the outcome once the time is over or all have refused.
#pragma once
#include <map>

#include "base/core.h"
#include "base/retry.h"
#include "node/own_identity.h"
#include "node/trust.h"
#include "proto/control/join.h"
#include "proto/wg/device.h"

namespace ginnel::node {

struct JoinedOutcome {
  ByteVector chain;
  PeerRecord self;
  PeerRecord hub;
  Prefix overlay_v4;
  std::string network_name;
  std::vector<control::HubEntry> hubs;
};

class Joiner {
 public:
  struct Options {
    control::Token token;
    std::vector<std::vector<Endpoint>> endpoints;  // per hub of the token, resolved
    std::string name;
    std::vector<std::string> own_endpoints;  // of a hub that joins: where it can be reached
  };
  struct Nothing {};
  using Event = Nothing;
  using Outcome = Result<JoinedOutcome, Refusal>;

  // `identity` outlives the joiner.
  Joiner(Options options, const OwnIdentity& identity, Rng rng, Instant now, Wall wall);

  void handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes bytes);
  void handle_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Event> poll_event() { return std::nullopt; }
  std::optional<Instant> next_timeout() const;

  // Set once a hub let us in, or every hub has refused. Until then, what the last refusal was.
  const std::optional<Outcome>& outcome() const { return outcome_; }
  const std::optional<Refusal>& last_refusal() const { return last_refusal_; }

 private:
  struct Attempt {
    std::vector<Endpoint> endpoints;  // not empty
    std::size_t endpoint = 0;         // that is tried now
    Instant endpoint_since;
    bool established = false;
    bool refused = false;
    RetrySchedule join{{.first = 250ms, .longest = 1s}};
  };
  // A hub may have several addresses of which not all answer.
  static constexpr Nanoseconds kEndpointTime = 1s;

  Wall wall(Instant now) const { return wall_at_start_ + (now - start_); }
  void add_hub(Instant now, const control::TokenHub& hub, std::vector<Endpoint> endpoints);
  void handle_device_events(Instant now);
  void handle_frames(Instant now, wg::PeerHandle peer, ConstBytes plaintext);
  void handle_joined(Instant now, const control::Joined& joined);
  void handle_refused(Attempt& attempt, const control::Refused& refused);
  std::optional<Transmit> transmit_join(Instant now, wg::PeerHandle peer, Attempt& attempt,
                                        Bytes slot);
  void fail(Refusal refusal);

  Options options_;
  const OwnIdentity& identity_;
  Instant start_;
  Wall wall_at_start_;
  wg::Device device_;
  std::map<wg::PeerHandle, Attempt> attempts_;
  std::map<wg::PeerHandle, crypto::SessionPublic> hub_keys_;
  std::optional<Refusal> last_refusal_;
  std::optional<Outcome> outcome_;
};

static_assert(ProtocolCore<Joiner>);

}  // namespace ginnel::node
