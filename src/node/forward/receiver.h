// The way in: one receive of the socket, possibly a run of equal datagrams (UDP_GRO), becomes
// packets for the TUN device, packets for other nodes, and items for control.
//
//   ReceiveOutput out({.tcp = true});
//   for (std::size_t at = 0; at < run.bytes.size();) {
//     at += receiver.handle(now, table, run, at, out);    // stops early when `out` is full
//     flush(out);
//   }
//
//   1. what is it        docs/wire/ginnel.md section 2: WireGuard, relay, else control's
//   2. relay             at a hub, hops 0: forward; hops 1: verify, strip, and look again
//   3. open              receiver index -> key pair, in place
//   4. what is inside    keepalive, frames (control's), IP packet
//   5. whose is it       the inner source address must be routed to the same peer
//   6. TUN               joined with its neighbours  (coalescer.h)
//
// Everything handed out borrows the receive buffer. One thread; never allocates after construction.
#pragma once
#include "node/forward/coalescer.h"
#include "node/forward/table.h"
#include "proto/relay/relay_table.h"

namespace ginnel::forward {

// Mirrors what the socket yields.
struct ReceivedRun {
  Endpoint from;
  Address local;  // where it was sent to
  Bytes bytes;
  std::size_t segment_size = 0;  // bytes per datagram, the last may be shorter; 0: one datagram
};

// Something for the control thread.
struct ToControl {
  enum class Kind : std::uint8_t {
    kDatagram,      // handshake or STUN, as it came
    kUnknownIndex,  // a data message under an index that is not in the table, as it came
    kFrames,        // opened under `index`
    kFacts,         // no bytes: `confirmed` and `is_new_source` about `index`
    kRelayed,       // for the stream `from.path` to a node that is attached by one
  };
  Kind kind = Kind::kDatagram;
  wg::Route from;
  Address local;
  wg::ReceiverIndex index;
  bool confirmed = false;      // the first packet under a `next` pair
  bool is_new_source = false;  // authenticated, and `from` is not where the table expects it
  Bytes bytes;
};

// A packet that a hub passes on.
struct Relayed {
  Endpoint to;
  Bytes bytes;
  std::size_t segment_size = 0;  // of each datagram but the last
  std::size_t segments = 1;
};

class ReceiveOutput {
 public:
  static constexpr std::size_t kControlMax = 256;
  static constexpr std::size_t kRelayedMax = 64;

  explicit ReceiveOutput(Coalescer::Options options) : tun(options) {
    control.reserve(kControlMax);
    relayed.reserve(kRelayedMax);
  }
  // A datagram makes at most one of each, and facts beside frames.
  bool full() const {
    return tun.full() || control.size() + 2 > kControlMax || relayed.size() == kRelayedMax;
  }
  void clear() {
    tun.clear();
    control.clear();
    relayed.clear();
  }

  Coalescer tun;
  std::vector<ToControl> control;
  std::vector<Relayed> relayed;
};

// What control changes at a hub's relay.
struct RelayChange {
  enum class Kind : std::uint8_t { kAdd, kMove, kRemove };
  Kind kind = Kind::kAdd;
  relay::Attachment attachment;  // kMove: index, path, to; kRemove: index
};

class Receiver {
 public:
  // An authenticated source that is not the expected one is reported at most so often per peer.
  static constexpr Nanoseconds kSourceInterval = 100ms;

  // `relay_places`: nodes at this hub; 0: no hub.
  explicit Receiver(std::size_t relay_places = 0);

  // Handles the datagrams of `run` from byte `at` on until `out` is full; returns the bytes
  // handled, 0 only when `out` was full already.
  std::size_t handle(Instant now, const ForwardingTable& table, const ReceivedRun& run,
                     std::size_t at, ReceiveOutput& out);
  // A WireGuard message that came by `from` and was given to control: its relay header, if it had
  // one, is off. `out` is not full.
  void handle_unwrapped(Instant now, const ForwardingTable& table, const wg::Route& from,
                        const Address& local, Bytes message, ReceiveOutput& out);
  void apply(Instant now, const RelayChange& change);

  const DropCounters& drops() const { return drops_; }
  // Null: no hub.
  const relay::RelayTable* relay_table() const { return relay_ ? &*relay_ : nullptr; }

 private:
  struct Arrival {
    Instant now;
    const ForwardingTable& table;
    wg::Route from;
    Address local;
  };

  void handle_datagram(const Arrival& arrival, Bytes bytes, ReceiveOutput& out);
  void handle_relay(const Arrival& arrival, Bytes bytes, ReceiveOutput& out);
  void handle_from_hub(const Arrival& arrival, Bytes bytes, ReceiveOutput& out);
  void handle_wireguard(const Arrival& arrival, Bytes bytes, ReceiveOutput& out);
  void handle_opened(const Arrival& arrival, const Origin& origin, Bytes plaintext,
                     ReceiveOutput& out);
  void handle_ip(const Arrival& arrival, const Origin& origin, Bytes plaintext, ReceiveOutput& out);
  void note_facts(const Arrival& arrival, const Origin& origin, ReceiveOutput& out);
  void forward(const Transmit& transmit, Bytes bytes, ReceiveOutput& out);

  DropCounters drops_;
  std::optional<relay::RelayTable> relay_;
};

}  // namespace ginnel::forward
