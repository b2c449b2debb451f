// Books every message that programs send and get, and tells what the network layer did to them:
// lost, doubled, reordered, corrupted. It stands outside the nodes: the harness tells it what was
// handed to a node and what came out of one.
//
//   Ledger ledger(world);
//   world.watch(ledger);
//   ledger.set_guarantee("voice", Ledger::Guarantee::kAtMostOnce);
//   ledger.sent(alice, bob, "chat", bytes);        // the node took it
//   ledger.received(alice, bob, "chat", bytes);    // bob's program got it
//   ledger.finish(world);                          // what is still missing is lost
//
// Messages of one flow (from, to, channel) should differ in their bytes; equal ones are taken to be
// the earliest that is still missing. Crashes are seen by themselves: what was under way may then
// arrive or not, and what the crashed receiver had got may come again.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/bytes.h"
#include "sim/checker.h"

namespace ginnel::sim {

class Ledger : public Checker {
 public:
  enum class Guarantee : std::uint8_t {
    kAtMostOnce,  // datagrams: may be lost and reordered, never doubled or changed
    kReliable,    // exactly once
    kOrdered,     // exactly once, in order: the default
    kPerRun,  // the same, between one run of the sender and one of the receiver: what the sender
              // handed over before it knew of the receiver's new run may be lost
  };
  // Messages under way in one flow. Past it the oldest is forgotten: a violation if it had to
  // arrive.
  static constexpr std::size_t kUnderWayMax = 16'384;
  // Messages of a flow that are remembered after they arrived, to tell a double from a forgery.
  static constexpr std::size_t kRecentMax = 16'384;

  explicit Ledger(const World& world) : world_(world) {}

  void set_guarantee(std::string channel, Guarantee guarantee);
  void sent(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes);
  // The sender was told that this message failed: whether it arrives is open.
  void gave_up(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes);
  void received(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes);

  void on_crash(const World& world, MachineId machine) override;
  void finish(const World& world) override;

  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t missing = 0;  // under way now, of those that must arrive
    std::uint64_t lost = 0;     // found missing by finish()
    std::uint64_t doubled = 0;
    std::uint64_t reordered = 0;
    std::uint64_t unknown = 0;  // corrupted, or never sent
    std::uint64_t again = 0;    // came again, or late, after a crash: no violation
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Message {
    std::uint64_t hash = 0;
    std::uint64_t number = 0;  // in its flow, from 1
    bool excused = false;      // may be lost
    bool overtaken = false;    // reported as reordered
  };
  // The last kRecentMax messages that were added, by hash.
  class Recent {
   public:
    void add(const Message& message);
    // Its number in the flow; nullopt: not among them.
    std::optional<std::uint64_t> find(std::uint64_t hash) const;
    // True if it was there; one of equal ones is removed.
    bool take(std::uint64_t hash);
    void move_to(Recent& other);

   private:
    std::deque<Message> order_;                            // as added; some are taken already
    std::multimap<std::uint64_t, std::uint64_t> numbers_;  // by hash
  };
  struct FlowId {
    MachineId from;
    MachineId to;
    std::string channel;
    friend auto operator<=>(const FlowId&, const FlowId&) = default;
  };
  struct Flow {
    Guarantee guarantee = Guarantee::kOrdered;
    std::uint64_t last_number = 0;
    std::deque<Message> under_way;  // in the order sent
    // kPerRun: the receiver's new run has got nothing yet, so the sender may not know of it.
    bool new_run = false;
    std::uint64_t last_before_crash = 0;  // number of the last message sent before the crash
    Recent delivered;
    Recent may_recur;  // a crash allows these once more, or late
  };

  Flow& flow(const FlowId& id);
  bool must_arrive(const Flow& flow, const Message& message) const;
  void excuse(Flow& flow, Message& message);
  void forget_oldest(const FlowId& id, Flow& flow);
  void check_order(const FlowId& id, Flow& flow, std::size_t index);
  void note_new_run(Flow& flow, const Message& message);
  void receive_unexpected(const FlowId& id, Flow& flow, std::uint64_t hash);
  void report(std::string_view what, const FlowId& id, std::uint64_t number);

  const World& world_;
  std::map<std::string, Guarantee, std::less<>> guarantees_;
  std::map<FlowId, Flow> flows_;
  std::set<MachineId> crashed_;  // at least once
  Counts counts_;
};

}  // namespace ginnel::sim
