// What runs on a machine of the world: a program with sockets, driven by time and datagrams. A
// whole node is adapted to this; EchoHost and Pinger (test_hosts.h) are the smallest ones.
//
// After each call the world drains the host and asks for its next timeout, so a host never calls
// the world.
#pragma once
#include <optional>

#include "base/bytes.h"
#include "base/core.h"

namespace ginnel::sim {

class Machine;

struct Clock {
  Instant now;  // the same for all machines, and never jumps
  Wall wall;    // this machine's idea of the date
};

// How a datagram came in.
struct Arrival {
  PathId path;  // of the socket, as it was bound
  Endpoint local;
  Endpoint from;
  std::uint8_t ttl = 0;
  std::uint8_t ecn = 0;
};

// A datagram that the machine's own link cannot carry (EMSGSIZE).
struct TooBig {
  Endpoint to;
  std::size_t size = 0;       // of the datagram's payload, bytes
  std::size_t mtu_bytes = 0;  // of the link
};

// Where a host's datagrams go; models ginnel::Outbox, so drain() of base/drain.h takes it.
class SendBatch {
 public:
  virtual ~SendBatch() = default;
  // The place for the next datagram (or several, Transmit::segment_size); empty: the socket is
  // full, and the world will drain again a little later.
  virtual Bytes slot() = 0;
  // Transmit::path names the socket; one that is not bound drops the datagram.
  virtual void commit(const Transmit& transmit) = 0;
};

class Host {
 public:
  virtual ~Host() = default;
  // The process starts: at first, and after each crash. What a Host keeps as its "disk" is still
  // there; sockets are not. `machine` outlives the host.
  virtual void start(const Clock& clock, Machine& machine) = 0;
  // `bytes` is the host's to change until it returns.
  virtual void handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) = 0;
  virtual void handle_timeout(const Clock& clock) = 0;
  virtual std::optional<Instant> next_timeout() const = 0;
  virtual void drain(const Clock& clock, SendBatch& batch) = 0;
  // The process dies at once: everything but the "disk" is lost.
  virtual void crash() = 0;

  virtual void handle_too_big(const Clock&, const TooBig&) {}
  // An interface or address came or went; Machine::addresses() tells.
  virtual void handle_network_change(const Clock&) {}
  // The machine slept, and does no more.
  virtual void handle_resumed(const Clock& clock) { handle_network_change(clock); }
};

}  // namespace ginnel::sim
