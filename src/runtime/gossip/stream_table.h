// The member's TCP connections: Swim's StreamOpen, StreamWrite and StreamClose made real.
//
//   StreamTable streams(loop, {.on_data = …, .on_closed = …});
//   streams.open(id, peer);  streams.write(id, bytes);  streams.close(id);
//
// The loop's thread. What is written waits here; a closed stream goes when all of that is out, or
// after kLingerTime.
#pragma once
#include <functional>
#include <map>
#include <memory>

#include "io/event_loop.h"
#include "io/tcp.h"
#include "proto/swim/events.h"

namespace ginnel::gossip {

class StreamTable {
 public:
  struct Handlers {
    std::function<void(swim::StreamId, ConstBytes)> on_data;
    // Once, unless close() came first.
    std::function<void(swim::StreamId, swim::StreamEnd)> on_closed;
  };

  // How long a stream that is closed may take to hand over what was written to it.
  static constexpr Nanoseconds kLingerTime = 10s;
  // Waiting in all streams together; beyond it the stream that asks for more is broken off.
  static constexpr std::size_t kPendingBytesMax = std::size_t{256} << 20;

  StreamTable(io::EventLoop& loop, Handlers handlers);
  ~StreamTable();
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // False: the system refuses at once.
  bool open(swim::StreamId id, const Endpoint& to);
  void accepted(swim::StreamId id, io::TcpStream stream);
  void write(swim::StreamId id, ByteVector bytes);
  void close(swim::StreamId id);
  std::size_t size() const { return connections_.size(); }

 private:
  struct Connection {
    Connection(io::TcpStream s, bool we_dialled) : stream(std::move(s)), dialled(we_dialled) {}
    io::TcpStream stream;
    bool dialled;
    ByteVector pending;
    std::size_t sent = 0;     // of pending
    bool closing = false;     // the core has done with it
    bool shut = false;        // all is out, and the other side told so
    bool read_ended = false;  // the other side sends no more
  };
  void add(swim::StreamId id, io::TcpStream stream, bool dialled);
  void handle(swim::StreamId id, io::Ready ready);
  bool flush(Connection& connection);
  void read(swim::StreamId id);
  void finish(swim::StreamId id);
  void fail(swim::StreamId id, swim::StreamEnd end);
  void erase(swim::StreamId id);
  void set_interest(const Connection& connection);
  void expire();

  io::EventLoop& loop_;
  Handlers handlers_;
  std::map<swim::StreamId, std::unique_ptr<Connection>> connections_;
  std::size_t pending_bytes_ = 0;            // of all, without what was sent
  DeadlineQueue<swim::StreamId> lingering_;  // of those that are closing
  io::Alarm alarm_;
  ByteVector buffer_;
};

}  // namespace ginnel::gossip
