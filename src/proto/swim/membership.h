// Who is alive: memberlist's rules for alive, suspect and dead (state.go), without any I/O.
//
//          alive, new incarnation            suspect
//   unknown ----------> ALIVE <-----------------------> SUSPECT
//                        ^  |                              | timer, or a dead message
//       alive, higher    |  | dead (From != itself)        v
//                        +--+------------------------->  DEAD --30 s--> retired --24 h--> forgotten
//                        |  | dead (From == itself)
//                        +--+------------------------->  LEFT --------- the same
//
// What should go to others is put into `broadcasts`; what the application should know into `events`.
#pragma once
#include "base/timers.h"
#include "proto/swim/awareness.h"
#include "proto/swim/broadcast_queue.h"
#include "proto/swim/config.h"
#include "proto/swim/event_queue.h"
#include "proto/swim/member_table.h"

namespace ginnel::swim {

class Membership {
 public:
  // What became of an alive message.
  enum class Outcome : std::uint8_t {
    kTaken,     // or known already
    kDisputed,  // the name is alive elsewhere, but this is newer: see whether the old one answers
    kDropped,
  };
  struct AliveOptions {
    bool own = false;          // we say it about ourselves
    bool move_proved = false;  // the old address does not answer
  };

  Membership(const Config& config, Rng rng, EventQueue& events);

  // Enters ourselves. Once, before anything else.
  void start(Instant now);
  // Our meta, address or versions are as `config` now says: everybody is to know.
  void announce_self(Instant now);
  // While silent nothing that is said of us is refuted. Afterwards: announce_self().
  void set_silent(bool silent) { silent_ = silent; }
  bool is_silent() const { return silent_; }

  Outcome apply(Instant now, const Alive& alive, AliveOptions options);
  Outcome apply(Instant now, const Alive& alive) { return apply(now, alive, AliveOptions()); }
  void apply(Instant now, const Suspect& suspect, Reason reason);
  void apply(Instant now, const Dead& dead);
  // memberlist: a dead member of the other's list is only suspected, in our name.
  Outcome apply(Instant now, const NodeState& state);
  // Our probe found nothing.
  void accuse(Instant now, Member& member);
  void leave(Instant now);

  // Drops a dead or left name at once, without telling anybody. False: there is none.
  bool forget(std::string_view name);

  void handle_timeout(Instant now);
  std::optional<Instant> next_timeout() const { return suspicions_.next(); }
  // At the end of each round through the list: retires the long dead, forgets the very long dead,
  // and shuffles.
  void start_round(Instant now);

  MemberTable& table() { return table_; }
  const MemberTable& table() const { return table_; }
  const Member& self() const { return *self_; }
  bool is_self(const Member& member) const { return &member == self_; }
  bool has_left() const { return leaving_; }
  BroadcastQueue& broadcasts() { return broadcasts_; }
  const BroadcastQueue& broadcasts() const { return broadcasts_; }
  Awareness& awareness() { return awareness_; }
  const Awareness& awareness() const { return awareness_; }
  std::size_t alive_count() const;
  std::uint64_t dropped(Drop why) const { return drops_[static_cast<std::size_t>(why)]; }
  void count(Drop why) { ++drops_[static_cast<std::size_t>(why)]; }

 private:
  enum class Address { kSame, kTakeover, kDisputed, kConflict };

  std::optional<Drop> refusal(const Alive& alive) const;
  Address judge_address(Instant now, const Member& member, const Alive& alive,
                        const AliveOptions& options) const;
  void report_conflict(const Member& member, const Alive& alive);
  void take_alive(Instant now, Member& member, const Alive& alive);
  void become_alive(Instant now, Member& member);
  void become_suspect(Instant now, Member& member, std::string_view from, Reason reason);
  void become_gone(Instant now, Member& member, State state);
  void confirm(Member& member, const Suspect& suspect);
  void refute(Incarnation accused, std::string_view by);
  template <class Message>
  void broadcast(const Message& message) {
    broadcasts_.add(message.node, encode(message));
  }
  Alive self_alive() const;
  SuspicionOptions suspicion_options() const;
  void forget(Member& member);

  const Config& config_;
  EventQueue& events_;
  MemberTable table_;
  Member* self_ = nullptr;
  bool leaving_ = false;  // we have said that we leave
  bool silent_ = false;
  Incarnation accused_;   // the highest of ours that was accused while we were silent
  BroadcastQueue broadcasts_;
  Awareness awareness_;
  DeadlineQueue<std::string> suspicions_;  // of exactly the suspect members
  std::array<std::uint64_t, static_cast<std::size_t>(Drop::kCount)> drops_{};
};

}  // namespace ginnel::swim
