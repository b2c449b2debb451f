// Members of a gossip cluster (proto/swim) on a flat network in virtual time, thousands of them
// from one seed. Datagrams and streams take a delay and are never lost; members can be killed,
// stalled for a while, or cut off from each other.
//
//   GossipNet net({.seed = 1});
//   for (int i = 0; i < 128; ++i) net.add(config);       // n0, n1, ...
//   net.join(1, 0);
//   net.run_for(15s);
//   net.stall(5, 2s);
//   net.run_for(60s);
//   for (const Note& note : net.take_notes()) ...
//
// Everything follows from the seed. One thread.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "base/drain.h"
#include "proto/swim/swim.h"
#include "sim/event_queue.h"

namespace ginnel::sim {

// What one member saw happen to another.
struct Note {
  enum class Kind : std::uint8_t { kJoined, kSuspected, kCleared, kFailed };
  Instant at;
  std::uint32_t observer = 0;
  std::uint32_t subject = 0;
  Kind kind = Kind::kJoined;
};

// All that was sent, since the counters were last taken.
struct GossipTraffic {
  std::uint64_t datagrams = 0;
  std::uint64_t datagram_bytes = 0;
  std::uint64_t streams = 0;
  std::uint64_t stream_bytes = 0;
};

class GossipNet {
 public:
  struct Options {
    std::uint64_t seed = 1;
    Nanoseconds delay_min = 200us;  // each datagram draws its own, so they may overtake each other
    Nanoseconds delay_max = 800us;
  };
  // What waits for a stalled member, datagrams and streams together; then datagrams are lost, as in
  // a full socket buffer.
  static constexpr std::size_t kWaitingMax = 8192;

  explicit GossipNet(const Options& options);
  GossipNet(const GossipNet&) = delete;
  GossipNet& operator=(const GossipNet&) = delete;

  // A new member, started; its name and address follow from its number, which is returned.
  std::uint32_t add(swim::Config config);
  void join(std::uint32_t member, std::uint32_t via);
  void kill(std::uint32_t member);
  // Its process stands still (kill -STOP): nothing is sent, handled or timed. Afterwards overdue
  // timers fire first and then what waited is handled, which is the worst order for the others.
  void stall(std::uint32_t member, Nanoseconds duration);
  // Its sends and receives wait, as in Lifeguard's experiment, but its timers go on.
  void block(std::uint32_t member, Nanoseconds duration);
  // Nothing passes between members of different groups; empty: all in one.
  void set_groups(std::vector<std::uint8_t> group_of) { group_of_ = std::move(group_of); }

  void run_until(Instant end);
  void run_for(Nanoseconds duration) { run_until(now_ + duration); }

  Instant now() const { return now_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  swim::Swim& member(std::uint32_t i) { return nodes_[i]->swim; }
  bool is_killed(std::uint32_t i) const { return nodes_[i]->killed; }
  // Everyone that runs has exactly so many members alive in its list.
  bool all_see(std::size_t alive) const;
  std::vector<Note> take_notes() { return std::exchange(notes_, {}); }
  GossipTraffic take_traffic() { return std::exchange(traffic_, {}); }

 private:
  using StreamId = swim::StreamId;
  struct Packet {
    enum class Kind : std::uint8_t { kDatagram, kOpen, kData, kClose } kind = Kind::kDatagram;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    StreamId stream;  // the sender's
    ByteVector bytes;
  };
  struct StreamEndpoint {
    std::uint32_t member = 0;
    StreamId stream;
  };
  struct Node {
    Node(const swim::Config& config, Rng rng) : swim(config, std::move(rng)) {}
    swim::Swim swim;
    std::optional<Instant> wake;   // the wake event that counts
    std::optional<Instant> until;  // stalled or blocked
    bool timers_run = true;        // while `until` is set
    bool killed = false;
    std::vector<Packet> in;   // wait for the end of the stall
    std::vector<Packet> out;  // streams' packets of a blocked member
  };
  // The Outbox of drain().
  struct Outbox {
    GossipNet& net;
    std::uint32_t from;
    bool open;
    Bytes slot() { return open ? Bytes(net.buffer_) : Bytes(); }
    void commit(const Transmit& t) { net.send_datagram(from, t); }
  };

  static Endpoint endpoint_of(std::uint32_t i);
  static std::optional<std::uint32_t> member_at(const Endpoint& endpoint);
  void hold(std::uint32_t member, Nanoseconds duration, bool timers_run);
  void release(std::uint32_t member);
  void wake(std::uint32_t member);
  void drain_node(std::uint32_t member);
  void handle_event(std::uint32_t member, const swim::Event& event);
  void note(std::uint32_t observer, const std::string& name, Note::Kind kind);
  void send_datagram(std::uint32_t from, const Transmit& transmit);
  void send(Packet packet, Nanoseconds delay);
  void send_stream(std::uint32_t from, Packet packet);
  void arrive(Packet packet);
  void handle(Packet packet);
  void handle_stream(Packet& packet);
  bool passes(std::uint32_t a, std::uint32_t b) const {
    return group_of_.empty() || group_of_[a] == group_of_[b];
  }

  Options options_;
  Rng rng_;
  Instant now_;
  EventQueue queue_;
  std::vector<Packet> packets_;  // by the subject of their event
  std::vector<std::uint32_t> free_packets_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::uint8_t> group_of_;
  // The other end of each open stream, by (member, its StreamId).
  std::map<std::pair<std::uint32_t, StreamId>, StreamEndpoint> streams_;
  ByteVector buffer_;
  std::vector<Note> notes_;
  GossipTraffic traffic_;
};

}  // namespace ginnel::sim
