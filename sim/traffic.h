// Programs that never stop: between every two nodes of a network plain messages, acknowledged ones
// and IP packets, of many sizes, at random moments. The ledger books them all.
//
//   Traffic traffic(world, {});
//   Network network(world, traffic);  …
//   traffic.start(network);
//   world.run_for(5min);
//   traffic.stop();
//   traffic.ask_everybody();   // a last acknowledged message between every two
//
// What is promised: messages exactly once and in order between two runs (epochs); an acknowledged
// one that succeeded was taken by the receiver's program; an IP packet at most once, unchanged, and
// out of the sender's address.
#pragma once
#include <array>

#include "sim/ledger.h"
#include "sim/network.h"
#include "sim/seal_checker.h"

namespace ginnel::sim {

struct TrafficOptions {
  // Between two sends of one node to one other; each pair gets its own mean within.
  Nanoseconds gap_min = 300ms;
  Nanoseconds gap_max = 3s;
  Nanoseconds acked_deadline = 5s;
  std::size_t message_bytes_max = 20'000;  // one in ten is that large; most are short
  std::size_t packet_bytes_max = 1392;     // the TUN device's MTU
};

class Traffic : public Programs, public Checker {
 public:
  Traffic(World& world, const TrafficOptions& options);

  void start(Network& network);  // which outlives the traffic's last event
  void stop() { running_ = false; }
  // One acknowledged message between every two nodes, each way.
  void ask_everybody();
  // Those that did not succeed within `limit`, for people; empty: all did.
  std::vector<std::string> unanswered() const;

  void message(MachineId at, MachineId from, const std::string& channel, ConstBytes bytes) override;
  void packet(MachineId at, ConstBytes bytes) override;
  void settled(MachineId at, const node::AckSettled& what) override;
  void undelivered(MachineId at, MachineId to, const std::string& channel,
                   ConstBytes bytes) override;
  void datagram_sent(MachineId from, ConstBytes bytes) override;

  const Ledger& ledger() const { return ledger_; }
  struct Counts {
    std::uint64_t messages = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t failed = 0;  // acknowledged sends that ended in an error
    std::uint64_t undelivered = 0;  // plain messages that came back
    std::uint64_t packets_sent = 0;
    std::uint64_t packets = 0;  // that arrived
    std::uint64_t refused = 0;  // packets that the sender was told of: unreachable, or too big
  };
  const Counts& counts() const { return counts_; }

  // What one machine may send in a second before it counts as a storm.
  static constexpr std::uint64_t kDatagramsPerSecondMax = 20'000;

 private:
  struct Pair {
    MachineId from;
    MachineId to;
    Nanoseconds gap;
    Rng rng;
  };
  struct Acked {
    MachineId from;
    MachineId to;
    std::string channel;
    ByteVector bytes;
    bool taken = false;      // by the receiver's program
    bool succeeded = false;  // as the sender was told
  };

  void schedule(std::size_t pair);
  void act(Pair& pair);
  bool can_send(MachineId from, MachineId to);
  ByteVector text(Pair& pair, std::uint64_t number) const;
  void send_message(Pair& pair);
  void send_acked(Pair& pair, const std::string& channel, Nanoseconds deadline);
  void send_packet(Pair& pair);

  World& world_;
  TrafficOptions options_;
  Ledger ledger_;
  SealChecker seals_;
  Network* network_ = nullptr;  // set by start
  std::vector<Pair> pairs_;
  std::map<std::uint64_t, Acked> acked_;  // by call
  std::map<Address, MachineId> overlay_;
  std::uint64_t last_number_ = 0;
  bool running_ = false;
  Counts counts_;
  std::map<MachineId, std::pair<std::int64_t, std::uint64_t>> storm_;  // second, datagrams in it
};

}  // namespace ginnel::sim
