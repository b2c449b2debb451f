// One remote node (or stock WireGuard peer) and all that lives while we talk to it. Internal to the
// node core: a row with its invariants; the flow is Node's.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/core.h"
#include "node/absence.h"
#include "node/channels/channels.h"
#include "node/config.h"
#include "node/forward/traffic.h"
#include "node/hello_exchange.h"
#include "node/hub_link.h"
#include "proto/control/fragment.h"
#include "proto/path/agent.h"
#include "proto/path/mtu_search.h"
#include "proto/wg/device.h"

namespace ginnel::node {

// Frames and packets that wait for a key pair or for room; past it a frame is refused and the
// oldest packet goes.
inline constexpr std::size_t kSessionFramesMax = 64;
inline constexpr std::size_t kSessionPacketsMax = 128;

// A message that was accepted from a program and that the other node may not have yet: kept until
// its HELLO shows which run of it we talk to.
struct EarlyMessage {
  LaneKey lane;
  std::uint64_t id = 0;  // 0: no acknowledgement wanted
  ByteVector data;
  bool in_lanes = false;  // the lanes of the epoch that we believe in have it too
};

struct Session {
  Session(wg::PeerHandle peer, const crypto::SessionPublic& session_key, std::uint64_t own_epoch)
      : handle(peer), key(session_key), hello(own_epoch) {}

  // Both certificates are accepted, as far as we know: everything may be sent and taken.
  bool is_ready() const { return hello.we_accepted_peer(); }
  // Of the link to a hub; a peer's is its agent's.
  std::optional<Nanoseconds> rtt() const { return hub_link ? hub_link->rtt() : std::nullopt; }
  // When the last authenticated packet of any kind came.
  std::optional<Instant> heard() const {
    const Instant data{traffic->last_received_ns.load(std::memory_order_relaxed)};
    if (data.ns == forward::Traffic::kNever) return last_received;
    return std::max(last_received.value_or(data), data);
  }

  const wg::PeerHandle handle;
  crypto::SessionPublic key;         // changes when the other node renews it
  std::optional<Id> id;              // set: the directory knows it
  bool for_gossip = false;           // made for gossip alone, and not used otherwise since
  bool wanted = false;               // by us, for something else than gossip
  std::optional<Instant> used;       // by something else than gossip; last time
  std::optional<StockPeer> stock;    // set: no Ginnel frame ever goes to it
  bool has_key_pair = false;
  std::optional<wg::Route> route;    // where data goes now
  std::unique_ptr<path::Agent> agent;  // set for sessions between peers: it moves the route
  HelloExchange hello;

  std::unique_ptr<Channels> channels;  // set: both epochs are known
  std::deque<EarlyMessage> early;      // those in lanes first
  std::size_t early_bytes = 0;
  Absence absence;                 // of a peer that something waits for
  std::deque<ByteVector> frames;   // whole inner frames for the next packets
  std::deque<ByteVector> packets;  // inner IP packets
  control::Reassembler fragments;
  std::uint32_t next_fragment = 0;

  // A hub that we attach to.
  std::unique_ptr<HubLink> hub_link;
  std::vector<Endpoint> hub_endpoints;
  std::size_t hub_endpoint = 0;       // which of them is tried
  std::optional<Instant> hub_retry;   // when the next one is tried

  // Without an agent, once IP packets go there (node_mtu.cc).
  std::optional<path::MtuSearch> mtu;
  std::pair<std::size_t, bool> published_mtu{};  // bytes, known; as the last table has it

  // Those that packets may come under; borrowed from the device.
  std::vector<wg::KeyPair*> key_pairs;
  // What the forwarding threads moved, and what of it the sweep has seen.
  std::shared_ptr<forward::Traffic> traffic = std::make_shared<forward::Traffic>();
  std::int64_t swept_sent_ns = forward::Traffic::kNever;
  std::int64_t swept_received_ns = forward::Traffic::kNever;

  std::uint64_t rx_bytes = 0;  // inner bytes
  std::uint64_t tx_bytes = 0;
  std::optional<Instant> last_received;
  std::optional<Instant> next_notice;  // no line of the log is its doing before
};

}  // namespace ginnel::node
