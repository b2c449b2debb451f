// What a node core tells its driver. Values; the driver polls them.
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>

#include <memory>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/core.h"
#include "node/forward/receiver.h"
#include "proto/swim/agent.h"
#include "proto/wg/device.h"

namespace ginnel::node {

// A message waits at the head of its channel: take it with Node::take_message.
struct MessageReady {
  Id from;
  std::string channel;
};
// A channel that refused a message takes more.
struct ChannelWritable {
  Id peer;
  std::string channel;
};
// One destination of an acknowledged send is settled.
struct AckSettled {
  std::uint64_t call = 0;
  Id peer;
  std::string peer_text;       // as the caller named it
  std::optional<Error> error;  // none: a program took it
};
// A message of a plain send comes back: it was not sent, or nobody knows whether it arrived.
struct Undelivered {
  Id peer;                // nil: nobody by this name is known
  std::string peer_text;  // as the caller named it, or the Id's text
  std::string channel;
  ByteVector data;
  bool sent = false;  // at least in part
  Error error;
};
// A request waits at the head of its channel: take it with Node::take_request.
struct RequestReady {
  Id from;
  std::string channel;
};
// A request is answered, or has failed.
struct RequestSettled {
  std::uint64_t call = 0;
  Id peer;
  std::string peer_text;            // as the caller named it
  Result<ByteVector, Error> reply;  // kReplyFailed, kDenied: whoever replies said so
};
struct DatagramReceived {
  Id from;
  std::string channel;
  ByteVector data;
};
struct PongReceived {
  std::uint64_t id = 0;  // of the run of `ginnel ping`
  std::uint32_t sequence = 0;
  Id from;
  Nanoseconds rtt{};
};
// State, path or reason of a peer changed.
struct PeerChanged {
  Id id;
};
// A hub registered us, or was lost.
struct HubChanged {
  Id hub;
  bool online = false;
};
// An inner IP packet for the TUN device (where no forwarding thread writes it itself).
struct TunPacket {
  ByteVector bytes;
};
// Store these bytes under this name, then call Node::handle_stored(ticket).
struct StoreRequest {
  std::string name;
  ByteVector bytes;
  std::uint64_t ticket = 0;
};
// Destinations, key pairs or paths changed: publish a new Node::forwarding_table(). With forwarding
// threads only.
struct ForwardingChanged {};
// For the relay in the receiving thread. With forwarding threads only.
struct RelayChanged {
  forward::RelayChange change;
};
// Our own overlay addresses or session key are others now: Node::self().
struct SelfChanged {};
// A rotation of the session key ended: with the new key in use, or why not.
struct KeyRotated {
  std::optional<Error> error;
};
// The key pair is out of every table that Node will hand out from now on.
struct KeyPairDone {
  std::unique_ptr<wg::KeyPair> key_pair;
};
// What the gossip cluster tells: members, serf's events, answers to queries. swim::Gone: leave_gossip
// is over.
struct Gossiped {
  swim::AgentEvent event;
};
// For people: what happened and why.
struct Notice {
  enum class Level : std::uint8_t { kInfo, kWarning, kError };
  Level level = Level::kInfo;
  std::string code;  // E_… or empty
  std::string text;
};

using Event = std::variant<MessageReady, ChannelWritable, AckSettled, Undelivered, RequestReady,
                           RequestSettled, DatagramReceived, PongReceived, PeerChanged, HubChanged,
                           TunPacket, StoreRequest, ForwardingChanged, RelayChanged, KeyPairDone,
                           Gossiped, Notice, SelfChanged, KeyRotated>;

}  // namespace ginnel::node
