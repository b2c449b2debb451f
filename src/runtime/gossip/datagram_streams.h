// A member's datagrams over TCP alone: kept connections, one or two to each member that is talked
// to (docs/wire/ginnel.md, section 17).
//
// They stay datagrams: what a connection cannot take now is dropped, nothing is sent again, and a
// connection that breaks or idles goes without a word. A datagram for an endpoint goes over the
// connection that is known by it, or over a new one. Known by it: we dialled it, or its dialler
// said that it listens there. So answers come back the same way, also through a NAT. The first one
// keeps the endpoint; another that claims it is known by where it really comes from, so that a claim
// takes nothing from who is known, and two members behind one NAT are told apart.
#pragma once
#include <map>
#include <memory>

#include "base/timers.h"
#include "io/event_loop.h"
#include "runtime/gossip/datagram_framing.h"
#include "runtime/gossip/datagrams.h"

namespace ginnel::gossip {

class DatagramStreams final : public Datagrams {
 public:
  // Of each kind, dialled and accepted. At the limit the one that was used least lately goes, so
  // those that do nothing cannot keep others out.
  static constexpr std::size_t kConnectionsMax = 256;
  // In one connection. Beyond it datagrams are dropped, as in a full socket buffer. 64 MiB in all.
  static constexpr std::size_t kPendingBytesMax = 128 << 10;
  // Until a dialled one is open, and an accepted one has said what it is.
  static constexpr Nanoseconds kOpenTime = 10s;
  // Without a datagram. The accepting side waits longer, so that the dialler closes: were it the
  // other way round, a datagram just sent would be lost.
  static constexpr Nanoseconds kIdleTime = 60s;
  static constexpr Nanoseconds kAcceptedIdleTime = 90s;

  // `port`: where others dial us.
  DatagramStreams(io::EventLoop& loop, std::uint16_t port, Handlers handlers);
  ~DatagramStreams() override;
  DatagramStreams(const DatagramStreams&) = delete;
  DatagramStreams& operator=(const DatagramStreams&) = delete;

  std::span<std::byte> slot() override { return out_; }
  void commit(const Transmit& transmit) override;
  void flush() override {}  // what waits goes when its connection is writable
  void accepted(io::TcpStream stream) override;
  std::size_t connection_count() const override { return connections_.size(); }

 private:
  using Number = std::uint64_t;  // of a connection, never used twice
  struct Connection {
    Connection(io::TcpStream s, bool we_dialled)
        : stream(std::move(s)), dialled(we_dialled), reader(!we_dialled) {}
    io::TcpStream stream;
    bool dialled;
    std::optional<Endpoint> peer;  // what it is known by
    DatagramReader reader;
    bool begun = false;  // an accepted one: its first bytes are those of section 17
    bool open = false;   // both sides are ready for datagrams
    ByteVector pending;
    std::size_t sent = 0;  // of pending
  };
  Connection* find(Number number);
  std::optional<Number> number_to(const Endpoint& to);
  std::optional<Number> add(io::TcpStream stream, bool dialled);
  bool queue(Number number, ConstBytes datagram);
  bool send_pending(Connection& connection);
  void handle(Number number, io::Ready ready);
  void read(Number number);
  void hand_over(Number number, ConstBytes bytes);
  void take(Number number, ConstBytes bytes);
  void know(Number number, Connection& connection, const Endpoint& peer);
  void know_dialler(Number number, Connection& connection);
  void keep(Number number, const Connection& connection);
  void close(Number number);
  DeadlineQueue<Number>& deadlines_of(bool dialled) { return dialled ? dialled_ : accepted_; }
  void set_alarm();
  void expire();

  io::EventLoop& loop_;
  std::uint16_t port_;
  Handlers handlers_;
  std::map<Number, std::unique_ptr<Connection>> connections_;
  std::map<Endpoint, Number> by_peer_;
  DeadlineQueue<Number> dialled_;  // the first one was used least lately
  DeadlineQueue<Number> accepted_;
  Number numbers_ = 0;
  io::Alarm alarm_;
  ByteVector out_;
  ByteVector in_;
};

}  // namespace ginnel::gossip
