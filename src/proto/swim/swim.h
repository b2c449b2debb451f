// A member of a memberlist cluster: failure detection, gossip and push/pull, without any I/O.
//
//   Swim swim(config, Rng(key));
//   swim.start(now);
//   swim.join(now, *Endpoint::parse("10.0.0.2:7946"));
//   // then as every core: handle_datagram, handle_timeout, drain(); and streams by event:
//   //   StreamOpen -> dial; StreamWrite -> write; StreamClose -> close after what was written;
//   //   accept_stream for one that was dialled to us; handle_stream_data, handle_stream_closed.
//
// Sources: SWIM (Das 2002), Lifeguard (arXiv 1707.00788), memberlist 0.2.2 and HEAD of 2026-07.
// Not thread-safe. Allocates.
#pragma once
#include "base/core.h"
#include "proto/swim/membership.h"
#include "proto/swim/neighbourhood.h"
#include "proto/swim/stream_reader.h"

namespace ginnel::swim {

class Swim {
 public:
  using Event = swim::Event;

  // At these limits: the datagram is not sent, the stream refused, the answer not given.
  static constexpr std::size_t kDatagramsMax = 4096;
  static constexpr std::size_t kStreamsMax = 512;
  static constexpr std::size_t kAwaitedMax = 1024;
  static constexpr std::size_t kAsksMax = 256;
  // Dialers with another key or label are told so this often a second; more are refused in silence.
  static constexpr std::size_t kNotesPerSecond = 16;
  static constexpr Nanoseconds kMisfitPause = 10s;
  // memberlist: more push/pulls at once are not answered. Ours counts all streams of others.
  static constexpr std::size_t kStreamsInboundMax = 384;

  Swim(Config config, Rng rng);
  Swim(const Swim&) = delete;
  Swim& operator=(const Swim&) = delete;

  // Null, as at first: everybody is a neighbour. It outlives us.
  void set_neighbourhood(const Neighbourhood* neighbourhood) { neighbourhood_ = neighbourhood; }

  void start(Instant now);
  // Exchanges all state with the member there. Outcome: JoinDone or JoinFailed. After a leave it
  // also takes us back in.
  void join(Instant now, const Endpoint& to);
  // Tells everybody that we go. LeaveDone when it has spread, or after `timeout`. We still answer.
  void leave(Instant now, Nanoseconds timeout);

  // Without heartbeats (pekonode's Stop): we answer no probe and refute nothing, but listen, probe
  // and pass on. With them again everybody is told that we are here.
  void set_heartbeats(Instant now, bool on);

  // What others know of us; each raises our incarnation. Errors: kTooLarge (unchanged).
  Result<void, Drop> set_meta(Instant now, ConstBytes meta);
  void set_advertise(Instant now, const Endpoint& advertise);
  void set_versions(Instant now, const Vsn& vsn);
  // What our acks carry (memberlist's Ping delegate); nullopt: nothing, not even an empty payload.
  void set_ack_payload(std::optional<ByteVector> payload) { ack_payload_ = std::move(payload); }
  // What our push/pulls carry (memberlist's LocalState); at most kStreamBytesMax, else cut to none.
  void set_user_state(ByteVector state);

  // A rumor: sent retransmit_mult * ceil(log10(n + 1)) times by us and passed on by nobody. A newer
  // one of the same subject replaces it. Errors: kTooLarge, kEmpty.
  Result<void, Drop> broadcast(Instant now, std::string_view subject, ConstBytes message);
  // One datagram. Errors: kTooLarge, kEmpty, kUnknownMember.
  Result<void, Drop> send_best_effort(std::string_view name, ConstBytes message);
  // One datagram to an address, whoever is there. Errors: kTooLarge, kEmpty.
  Result<void, Drop> send_to(const Endpoint& to, ConstBytes message);
  // One stream. Outcome: SendDone. Errors: kTooLarge, kEmpty, kUnknownMember, kQueueFull.
  Result<StreamId, Drop> send_reliable(Instant now, std::string_view name, ConstBytes message);
  // A random member that push/pull could choose; nullopt: there is none.
  std::optional<std::string> exchange_partner();
  // Asks one member whether it is there. Outcome: PingDone. Errors: kUnknownMember, kQueueFull.
  Result<void, Drop> ping(Instant now, std::string_view name);

  // Forgets a dead or left name at once. False: there is none such.
  bool forget(std::string_view name) { return members_.forget(name); }

  void answer_alive(Instant now, AskId id, bool accept);
  void answer_merge(Instant now, AskId id, bool accept);

  void handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes datagram);
  void handle_timeout(Instant now);
  // nullopt: too many already; close it.
  std::optional<StreamId> accept_stream(Instant now, const Endpoint& from);
  void handle_stream_data(Instant now, StreamId stream, ConstBytes bytes);
  // A StreamClose follows, as for every stream: there the driver forgets it.
  void handle_stream_closed(Instant now, StreamId stream, StreamEnd end);

  std::optional<Transmit> poll_transmit(Instant now, Bytes out);
  std::optional<Event> poll_event();

  std::optional<Instant> next_timeout() const;
  std::vector<MemberInfo> members() const;  // by name; a copy
  std::optional<MemberInfo> member(std::string_view name) const;
  std::size_t alive_count() const { return members_.alive_count(); }
  int health_score() const { return members_.awareness().score(); }  // 0: well
  std::uint64_t dropped(Drop why) const { return members_.dropped(why); }
  const Config& config() const { return config_; }
  Framer& framer() { return framer_; }
  const Framer& framer() const { return framer_; }
  bool has_left() const { return members_.has_left(); }
  std::size_t stream_count() const { return streams_.size(); }
  std::uint64_t events_lost() const { return events_.lost(); }

 private:
  // kProbe: the next round may begin. kAckTimeout: the direct ping of this round was not answered.
  // kAdopt: the member that joined us did not take our versions, so we take its.
  // kProbeEnd: nobody has answered. kLeave: enough waited for our leave to spread.
  enum class Timer { kProbe, kAckTimeout, kProbeEnd, kGossip, kPushPull, kReconnect, kLeave, kAdopt, kCount };
  struct Datagram {
    PathId path;
    Endpoint to;
    ByteVector message;
    Framer::SealOptions seal;
  };
  // One member is being probed (SWIM section 3.1).
  struct ProbeRound {
    std::string target;
    SequenceNumber seq;
    Instant start;
    Instant end;
    std::size_t nacks_expected = 0;
    std::size_t nacks = 0;
    bool stream_answered = false;
  };
  // An alive message that outlives its datagram.
  struct OwnedAlive {
    std::string node;
    ByteVector meta;
    Incarnation incarnation;
    Endpoint endpoint;
    Vsn vsn;
    explicit OwnedAlive(const Alive& a)
        : node(a.node), meta(to_vector(a.meta)), incarnation(a.incarnation),
          endpoint(a.endpoint), vsn(a.vsn) {}
    Alive view() const { return {incarnation, node, endpoint, meta, vsn}; }
  };
  // Pings of ours outside the probe round, by what their answer is for.
  struct Relay {  // an indirect ping
    PathId path;
    Endpoint asker;
    SequenceNumber asker_seq;
    bool nack = false;
  };
  struct MoveCheck { OwnedAlive claim; };  // does a name still answer at its old address?
  struct AppPing { std::string name; };
  struct Awaited {
    Instant start;
    std::variant<Relay, MoveCheck, AppPing> purpose;
  };
  struct Inbound {};
  struct PushPull { bool join = false; std::string reconnect; };  // name, if it is for one that died
  struct StreamPing { SequenceNumber seq; };
  struct UserSend {};
  struct Stream {
    Endpoint peer;
    StreamReader reader;
    std::variant<Inbound, PushPull, StreamPing, UserSend> purpose;
  };
  struct RemoteOf { Endpoint peer; bool we_join = false; };  // whose state, and why we have it
  struct AskedMerge { ByteVector body; RemoteOf of; };
  struct Received;  // where a datagram's messages go

  // swim_receive.cc
  void handle_message(Instant now, PathId path, const Endpoint& from, MessageType type,
                      ConstBytes body);
  void handle_ping(PathId path, const Endpoint& from, const Ping& ping);
  void handle_indirect_ping(Instant now, PathId path, const Endpoint& from,
                            const IndirectPing& ping);
  void handle_ack(Instant now, const Ack& ack);
  void handle_nack(const Nack& nack);
  void handle_alive(Instant now, const Alive& alive);
  void apply_alive(Instant now, const Alive& alive);
  void check_move(Instant now, const Alive& alive);
  void count(Drop why) { members_.count(why); }
  bool reaches(const Member& member) const {
    return neighbourhood_ == nullptr || neighbourhood_->reaches(member.name);
  }
  bool admits(std::string_view name, const Endpoint& at) const {
    return neighbourhood_ == nullptr || neighbourhood_->admits(name, at);
  }

  // swim_probe.cc
  void start_probe(Instant now);
  Member* next_target(Instant now);
  void send_probe(Instant now, Member& target);
  void ask_others(Instant now);
  void end_probe(Instant now, bool answered);
  void fail_probe(Instant now);
  Ping make_ping(SequenceNumber seq, std::string_view node) const;
  SequenceNumber next_seq() { return SequenceNumber(++seq_); }
  bool await(Instant now, SequenceNumber seq, Nanoseconds wait, Awaited awaited);
  void answered(Instant now, const Awaited& awaited, const Ack& ack);
  void expired(Instant now, SequenceNumber seq, const Awaited& awaited);

  // swim_gossip.cc
  void gossip(Instant now);
  void arm_gossip(Instant now);
  std::vector<ByteVector> take_broadcasts(std::size_t budget_bytes);
  std::size_t packet_bytes() const;
  void send(PathId path, const Endpoint& to, ByteVector message);
  void send_packet(PathId path, const Endpoint& to, std::vector<ByteVector> messages,
                   Framer::SealOptions seal);
  static Framer::SealOptions seal_for(const Member& member);
  void check_leave(Instant now);

  // swim_push_pull.cc
  void start_push_pull(Instant now);
  void arm_push_pull(Instant now);
  void reconnect(Instant now);
  void push_pull_with(Instant now, const Endpoint& to, PushPull purpose);
  ByteVector own_state(bool join) const;
  void handle_remote_state(Instant now, const PushPullReader& remote, ConstBytes body,
                           const RemoteOf& of);
  enum class Met { kByOurJoin, kByTheirs };
  void meet(Instant now, const PushPullReader& remote, Met how);
  void adopt_versions(Instant now, const Vsn& vsn);
  std::optional<MemberInfo> holder_of_our_name(Instant now, const PushPullReader& remote) const;
  void refuse_merge(const RemoteOf& of, JoinError error, std::string why);
  void merge(Instant now, PushPullReader remote);
  Result<void, std::string> check_remote(const PushPullReader& remote) const;

  // swim_stream.cc
  std::optional<StreamId> open_stream(Instant now, const Endpoint& to, ConstBytes message,
                                      decltype(Stream::purpose) purpose, std::uint8_t encryption);
  void handle_request(Instant now, StreamId id, Stream& stream);
  void handle_reply(Instant now, StreamId id, Stream& stream);
  void reply(StreamId id, ConstBytes message);
  void close_stream(StreamId id);
  void fail_stream(StreamId id, JoinError error, std::string why);
  void refuse_stream(Instant now, StreamId id, Drop why);
  ByteVector refusal(Instant now, const Stream& stream, Drop why);
  void fail_reply(Instant now, StreamId id, Drop why);
  bool may_note(Instant now);
  void tell_misfit(Instant now, Misfit misfit);

  Config config_;
  const Neighbourhood* neighbourhood_ = nullptr;
  Rng rng_;
  Framer framer_;
  EventQueue events_;
  Membership members_;
  BroadcastQueue rumors_;
  bool adopting_ = false;  // Config::adopt_versions, and nobody met yet
  Vsn to_adopt_;           // while Timer::kAdopt runs
  bool rumors_first_ = false;  // of the next packet, when both queues have something
  Timers<Timer> timers_;

  std::uint32_t seq_ = 0;
  std::size_t probe_index_ = 0;  // into the table's order
  Instant probe_tick_;
  bool tick_missed_ = false;  // a tick came while a round was running
  std::optional<ProbeRound> probe_;
  std::map<std::uint32_t, Awaited> awaited_;  // by our sequence number
  DeadlineQueue<std::uint32_t> awaited_deadlines_;  // of exactly those

  Instant gossip_epoch_;
  std::deque<Datagram> datagrams_;
  ByteVector sealed_;  // of poll_transmit

  std::optional<ByteVector> ack_payload_;
  ByteVector user_state_;
  std::map<StreamId, Stream> streams_;
  DeadlineQueue<StreamId> stream_deadlines_;  // of exactly those
  std::size_t inbound_ = 0;
  std::size_t buffered_bytes_ = 0;  // of others' streams, not complete
  Instant notes_since_;             // a second that has seen notes_ notes
  std::size_t notes_ = 0;
  std::array<std::optional<Instant>, 2> misfit_told_;  // by others' dials, by ours
  std::uint32_t streams_made_ = 0;
  std::uint32_t asks_made_ = 0;
  std::map<AskId, OwnedAlive> asked_alive_;
  std::map<AskId, AskedMerge> asked_merge_;
};

static_assert(ProtocolCore<Swim>);

}  // namespace ginnel::swim
