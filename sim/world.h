// Start here: a world in which time is virtual, and everything that happens follows from one seed.
//
//   World world({.seed = 0x1f3a});
//   Places places(world);                               // addresses and NAT boxes (places.h)
//   const Site home = places.add_site(NatKind::kSymmetric);
//   const MachineId alice = world.add_machine("alice", std::make_unique<EchoHost>(7));
//   places.put(alice, home);
//   world.start(alice);
//   world.run_for(10s);
//   if (world.failed()) std::puts(world.failure_report(commit).c_str());
//
// One thread. The seed is forked by label for every part, so that one more packet on one link does
// not change the dice of another.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/checker.h"
#include "sim/event_queue.h"
#include "sim/fabric.h"
#include "sim/machine.h"
#include "sim/topology.h"
#include "sim/trace.h"

namespace ginnel::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  Wall wall{1'767'225'600'000'000'000};  // the date at Instant 0: 2026-01-01
  std::size_t trace_entries = 4096;      // kept for the report; 0: none
  bool hash_payloads = true;             // every delivered byte counts in trace().hash()
};

class World {
 public:
  using Call = std::function<void(World&)>;

  explicit World(const WorldOptions& options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Machines. They are made stopped and unplugged.
  MachineId add_machine(std::string name, std::unique_ptr<Host> host);
  AttachmentId attach(MachineId machine, ZoneId zone, std::vector<Address> addresses,
                      const LinkPair& links = {});
  void detach(AttachmentId attachment);
  void start(MachineId machine);  // or restart; no effect while it is up
  void crash(MachineId machine);  // no effect while it is down
  // The machine sleeps: it hears nothing, no timer fires, its clock goes on. No effect while it is
  // down or asleep.
  void suspend(MachineId machine);
  void resume(MachineId machine);  // no effect while it is not asleep
  void jump_wall(MachineId machine, Nanoseconds by);
  // The caller has called the host from outside (a user's send): fetch what it has to say.
  void poke(MachineId machine);

  // Time.
  bool step();  // one event; false: nothing will ever happen again
  void run_until(Instant end);
  void run_for(Nanoseconds duration) { run_until(now_ + duration); }
  void call_at(Instant at, Call call);

  // Checkers, which must outlive the last step.
  void watch(Checker& checker) { checkers_.push_back(&checker); }
  // Asks all checkers for what must hold at the end. True: no violation.
  bool finish();
  bool failed() const;
  // The violations, the last lines of the trace, and the line that replays the run.
  std::string failure_report(std::string_view commit) const;

  Instant now() const { return now_; }
  Clock clock(MachineId machine) const;
  // The date, on a machine whose clock is right.
  Wall wall() const { return options_.wall + (now_ - Instant{}); }
  Rng fork(std::string_view label) { return rng_.fork(label); }
  std::uint64_t seed() const { return options_.seed; }
  std::uint64_t events() const { return events_; }
  Topology& net() { return topology_; }
  const Topology& net() const { return topology_; }
  Fabric& fabric() { return fabric_; }
  const Fabric& fabric() const { return fabric_; }
  Trace& trace() { return trace_; }
  const Trace& trace() const { return trace_; }
  std::size_t machines() const { return machines_.size(); }
  const Machine& machine(MachineId id) const { return *machines_[id.value()]; }
  Machine& machine(MachineId id) { return *machines_[id.value()]; }
  template <class H = Host>
  H& host(MachineId id) {
    return dynamic_cast<H&>(*machine(id).host_);
  }

  // A host that has a timeout at one instant again and again is broken: the assertion fails.
  static constexpr std::uint32_t kTimeoutsAtOnceMax = 10'000;
  // Datagrams that one drain takes; the rest waits for kSocketFullPause.
  static constexpr std::size_t kDatagramsPerDrainMax = 4096;
  static constexpr Nanoseconds kSocketFullPause = 100us;

 private:
  class Batch;  // the SendBatch of one drain

  void deliver(const Delivery& delivery);
  void wake(Machine& machine);
  // Fetches what the host has to say, and sets its wake event.
  void settle(Machine& machine);
  void arm(Machine& machine, bool socket_full);
  void network_changed(Machine& machine);

  WorldOptions options_;
  Rng rng_;
  Instant now_{};
  EventQueue queue_;
  Trace trace_;
  Topology topology_;
  Fabric fabric_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<Call> calls_;
  std::vector<std::uint32_t> free_calls_;  // indices in calls_
  std::vector<Checker*> checkers_;
  ByteVector slot_;  // where hosts write
  std::uint64_t events_ = 0;
};

// The one line that runs a seed again.
std::string replay_line(std::uint64_t seed, std::string_view commit);

}  // namespace ginnel::sim
