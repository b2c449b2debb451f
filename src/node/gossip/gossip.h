// This node as a member of its network's gossip cluster (docs/wire/ginnel.md section 15): it owns
// the swim::Agent, turns members' names and addresses into Ids, and datagrams and streams into
// GOSSIP frames of the sessions that there are.
//
//   Gossip gossip({.self = record, .role = Role::kPeer, .config = swim::Config::wan()}, …);
//   gossip.session_up(now, bob, epochs);      gossip.handle_frame(now, bob, body);
//   gossip.settle(now);                       // after each of these
//   for (const Id& id : gossip.take_wanted()) ...   // has something to send: poll_frame(now, id, …)
//
// It begins no session: whom it may turn to is what set_reach says. Pure; belongs to the node's
// thread. Allocates.
#pragma once
#include <ginnel/error.h>

#include <deque>
#include <set>

#include "base/timers.h"
#include "node/directory.h"
#include "node/gossip/gossip_link.h"
#include "node/gossip/own_tags.h"
#include "node/gossip/stream_message.h"
#include "node/pins.h"
#include "proto/swim/agent.h"

namespace ginnel::node {

// Of all gossip lanes of the node together.
inline constexpr std::size_t kGossipBudgetBytes = std::size_t{48} << 20;
// A memberlist datagram that fits a packet on every path, also when a hub passes it on.
inline constexpr std::size_t kGossipDatagramBytes = 1100;
// Events that nobody took yet; past it the oldest goes and is counted.
inline constexpr std::size_t kGossipEventsMax = 4096;

class Gossip final : private swim::Neighbourhood {
 public:
  using Event = swim::AgentEvent;

  struct Options {
    PeerRecord self;
    swim::Config config;  // its name, address and packet size are set here
    std::uint64_t epoch = 0;
    ByteVector stored_tags{};
    Wall wall{};
  };
  // Whom we turn to by ourselves, and who hears us now. Ids without a session may be in it.
  struct Reach {
    std::set<Id> hubs;
    std::set<Id> others;
    std::set<Id> live;  // with a session that works
  };

  // `directory` and `pins` outlive it.
  Gossip(const Options& options, const Directory& directory, const Pins& pins, Rng rng,
         Instant now);

  // --- from sessions
  void set_reach(Reach reach);
  // The certificate is accepted; both epochs are known, at least one of them is new.
  void session_up(Instant now, const Id& peer, std::uint64_t peer_epoch);
  void session_down(const Id& peer);
  // It is heard again after a silence: what timed out meanwhile is sent at once.
  void resume(Instant now, const Id& peer);
  // The body of a GOSSIP frame of an accepted session.
  void handle_frame(Instant now, const Id& from, ConstBytes body);
  void handle_timeout(Instant now);
  std::optional<Instant> next_timeout() const;
  // Moves what the agent has to say. After everything that feeds it, also from outside.
  void settle(Instant now);
  // Who has something to be sent since the last call.
  std::set<Id> take_wanted() { return std::exchange(wanted_, {}); }
  // Writes one frame for this peer. 0: there is none, or it does not fit.
  std::size_t poll_frame(Instant now, const Id& to, Bytes room);
  std::optional<Event> poll_event();

  // --- the user's side
  swim::Agent& agent() { return agent_; }
  const swim::Agent& agent() const { return agent_; }
  // Errors: kUsage (role is the certificate's), kTooLarge; nothing changed.
  Result<void, Error> change_tags(Instant now, const OwnTags::Tags& set,
                                  const std::vector<std::string>& del);
  ByteVector stored_tags() const { return tags_.write(); }
  // Our certificate is a new one.
  void set_certified(Instant now, const PeerRecord& self);
  // Tells the others; Gone follows within kLeaveTime.
  void leave(Instant now);
  // Whether gossip holds it for alive or suspect.
  bool is_here(std::string_view name) const;
  bool may_reach(const Id& id) const { return reach_.hubs.contains(id) || reach_.others.contains(id); }

  std::uint64_t dropped() const { return dropped_; }  // frames, and datagrams for nobody

 private:
  // `number` by whose choice: ours, or the peer's.
  struct Stream {
    Id peer;
    std::uint32_t number = 0;
    bool ours = false;
    bool ended_there = false;  // the peer has closed it
  };

  bool reaches(std::string_view name) const override;
  bool admits(std::string_view name, const Endpoint& at) const override;
  Endpoint endpoint_of(const Id& id) const;
  std::optional<Id> id_of(const Endpoint& at) const;
  bool hears(const Id& id) const { return may_reach(id) || reach_.live.contains(id); }

  void route(const Endpoint& to, ConstBytes datagram);
  void forward(const Id& from, const control::Gossip& frame);
  void handle_datagram(Instant now, const Address& from, ConstBytes datagram);
  void deliver(swim::AgentEvent event);

  // gossip_streams.cc
  bool handle_stream(const swim::Event& event);
  void open_stream(const swim::StreamOpen& open);
  void write_stream(const swim::StreamWrite& write);
  void close_stream(const swim::StreamClose& close);
  bool send(const Stream& stream, StreamOp op, ConstBytes data);
  void handle_message(const Id& from, ConstBytes bytes);
  void accept_stream(const Id& from, std::uint32_t number);
  void end_streams(const Id& peer);
  void end_stream(swim::StreamId id, swim::StreamEnd end);

  // gossip_join.cc
  void run_join(Instant now);
  std::optional<Id> whom_to_join() const;

  enum class Timer { kJoin, kLeave, kCount };  // the next attempt; enough waited for our leave

  const Directory& directory_;
  const Pins& pins_;
  Id self_;
  std::uint64_t epoch_;
  OwnTags tags_;
  swim::Agent agent_;
  Budget budget_{kGossipBudgetBytes};
  Reach reach_;
  std::map<Id, GossipLink> links_;  // of sessions that are up, and of those that we ask for
  std::map<swim::StreamId, Stream> streams_;  // as many as Swim has
  std::map<std::pair<Id, std::uint32_t>, swim::StreamId> theirs_;  // by the peer's number
  std::set<Id> wanted_;
  std::deque<Event> events_;
  std::uint64_t dropped_ = 0;
  ByteVector buffer_;
  Instant now_;
  Timers<Timer> timers_;
  Nanoseconds join_wait_{};
  bool joining_ = false;
  bool gone_ = false;  // our leave is over
};

}  // namespace ginnel::node
