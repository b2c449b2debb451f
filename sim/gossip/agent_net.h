// Whole members (swim::Agent, so with serf's layer and shared data) on a flat network in virtual time.
// Datagrams take a delay and may be lost; streams take a delay. For faults see gossip_net.h, which
// has bare Swims.
//
//   AgentNet net({.seed = 1, .loss = 0.05});
//   net.add(config); net.add(config);
//   net.join(1, 0);
//   net.on_event([&](std::uint32_t member, const swim::AgentEvent& event) { … });
//   net.run_for(15s);
//
// Everything follows from the seed. One thread.
#pragma once
#include <functional>
#include <map>
#include <memory>

#include "base/drain.h"
#include "proto/swim/agent.h"
#include "sim/event_queue.h"

namespace ginnel::sim {

class AgentNet {
 public:
  struct Options {
    std::uint64_t seed = 1;
    double loss = 0;  // of datagrams
    Nanoseconds delay_min = 200us;
    Nanoseconds delay_max = 800us;
  };
  using OnEvent = std::function<void(std::uint32_t, const swim::AgentEvent&)>;
  using OnDatagram = std::function<void(ConstBytes)>;

  explicit AgentNet(const Options& options);
  AgentNet(const AgentNet&) = delete;
  AgentNet& operator=(const AgentNet&) = delete;

  // A new member, started; its name and address follow from its number, which is returned.
  std::uint32_t add(swim::AgentConfig config);
  void join(std::uint32_t member, std::uint32_t via);
  // Calls the agent and moves what it then has to say.
  void with(std::uint32_t member, const std::function<void(swim::Agent&)>& work);
  void on_event(OnEvent handler) { on_event_ = std::move(handler); }
  void on_datagram(OnDatagram handler) { on_datagram_ = std::move(handler); }  // each one sent

  void run_for(Nanoseconds duration);

  Instant now() const { return now_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  const swim::Agent& agent(std::uint32_t i) const { return nodes_[i]->agent; }
  Rng& rng() { return rng_; }

 private:
  using StreamId = swim::StreamId;
  struct Packet {
    enum class Kind : std::uint8_t { kDatagram, kOpen, kData, kClose } kind = Kind::kDatagram;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    StreamId stream;  // the sender's
    ByteVector bytes;
  };
  struct Node {
    Node(const swim::AgentConfig& config, Rng rng) : agent(config, std::move(rng)) {}
    swim::Agent agent;
    std::optional<Instant> wake;  // the wake event that counts
  };
  struct Outbox {  // of drain()
    AgentNet& net;
    std::uint32_t from;
    Bytes slot() { return net.buffer_; }
    void commit(const Transmit& t) { net.send_datagram(from, t); }
  };

  static Endpoint endpoint_of(std::uint32_t i);
  std::optional<std::uint32_t> member_at(const Endpoint& endpoint) const;
  void wake(std::uint32_t member);
  void settle(std::uint32_t member);
  void handle_event(std::uint32_t member, const swim::AgentEvent& event);
  void send_datagram(std::uint32_t from, const Transmit& transmit);
  void send(Packet packet, Nanoseconds delay);
  void arrive(Packet packet);
  void arrive_on_stream(Packet& packet);

  Options options_;
  Rng rng_;
  Instant now_;
  EventQueue queue_;
  std::vector<Packet> packets_;  // by the subject of their event
  std::vector<std::uint32_t> free_packets_;
  std::vector<std::unique_ptr<Node>> nodes_;
  // The other end of each open stream, by (member, its StreamId).
  std::map<std::pair<std::uint32_t, StreamId>, std::pair<std::uint32_t, StreamId>> streams_;
  ByteVector buffer_;
  OnEvent on_event_;
  OnDatagram on_datagram_;
};

}  // namespace ginnel::sim
