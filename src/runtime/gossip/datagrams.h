// How a member's datagrams get to others: over a UDP socket (udp_datagrams.h), or over TCP alone
// (datagram_streams.h). Models ginnel::Outbox. The loop's thread.
#pragma once
#include <functional>

#include "base/drain.h"
#include "io/tcp.h"

namespace ginnel::gossip {

enum class Carrier : std::uint8_t { kUdp, kTcp };

class Datagrams {
 public:
  struct Handlers {
    std::function<void(const Endpoint& from, Bytes datagram)> on_datagram;
    // A connection that was accepted and is not ours, with what has been read of it.
    std::function<void(io::TcpStream, ConstBytes)> on_stream;
  };
  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t failed = 0;  // the kernel or a full queue refused them
    std::uint64_t received = 0;
    std::uint64_t received_bytes = 0;
  };

  virtual ~Datagrams() = default;
  virtual std::span<std::byte> slot() = 0;
  virtual void commit(const Transmit& transmit) = 0;
  // What waits is sent, now or when there is room.
  virtual void flush() = 0;
  virtual void accepted(io::TcpStream stream) = 0;
  virtual std::size_t connection_count() const = 0;
  const Counts& counts() const { return counts_; }

 protected:
  Counts counts_;
};

static_assert(ginnel::Outbox<Datagrams>);

}  // namespace ginnel::gossip
