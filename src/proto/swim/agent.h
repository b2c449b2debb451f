// A whole member: memberlist's part (Swim), where the cluster is serf's also serf's part, and where
// all members are ours serf's part and shared data (metadata). It decides which of these it is, what
// its own metadata says, and how it leaves.
//
//   Agent agent(config, Rng(key));
//   agent.start(now);
//   agent.join(now, *Endpoint::parse("10.0.0.2:7946"));
//   // then as every core, and streams as Swim has them
//
// Not thread-safe. Allocates.
#pragma once
#include "proto/swim/metadata/metadata.h"
#include "proto/swim/serf/serf.h"

namespace ginnel::swim {

// Whose messages the members send each other, and what their metadata means.
enum class App : std::uint8_t {
  kNone,  // nobody's: raw bytes; delegate protocol 0
  kSerf,  // tags, intents, events, queries, coordinates; delegate protocol 2 to 5
  // As kSerf, and shared data; delegate protocol 64, which keeps programs of others out. Messages
  // of users have kUserEnvelope before them, so that they mix with the rest.
  kGinnel,
};
constexpr bool speaks_serf(App app) { return app != App::kNone; }
// The first byte of a user's message under kGinnel; neither serf's nor metadata's.
inline constexpr std::byte kUserEnvelope{0x75};  // 'u'

struct AgentConfig {
  Config swim;  // its meta, delegate protocol and adopt_versions are set from what follows
  std::optional<App> app;  // nullopt: as the first member that is met; until then by `tags`
  serf::Tags tags;
  std::optional<ByteVector> meta;  // raw; not together with tags
};

struct AppChosen { App app = App::kNone; };  // by the first member that was met
struct Gone {};                              // our leave is over: the driver may stop

using AgentEvent = std::variant<swim::Event, serf::SerfEvent, metadata::Changed, AppChosen, Gone>;

class Agent {
 public:
  using Event = AgentEvent;

  explicit Agent(AgentConfig config, Rng rng);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // What the hour is; before start() and now and then, for the versions of shared data.
  void set_clock(Instant now, Wall wall) { metadata_.set_clock(now, wall); }
  // As Swim has it.
  void set_neighbourhood(const Neighbourhood* neighbourhood) {
    swim_.set_neighbourhood(neighbourhood);
  }
  void start(Instant now);
  // Outcome: JoinDone, JoinFailed or NameTaken.
  void join(Instant now, const Endpoint& to);
  // Says goodbye, at most 5 s long; then Gone. Once.
  void leave(Instant now);

  // Swim::set_heartbeats, answer_alive and answer_merge.
  void set_heartbeats(Instant now, bool on);
  void answer_alive(Instant now, AskId id, bool accept);
  void answer_merge(Instant now, AskId id, bool accept);
  // Raw metadata in place of tags. Errors: kTooLarge (unchanged).
  Result<void, Drop> set_meta(Instant now, ConstBytes meta);

  // Replace our metadata. Under kGinnel those that do not fit into 512 bytes go the way of shared
  // data. Errors: kTooLarge (unchanged).
  Result<void, Drop> set_tags(Instant now, serf::Tags tags);
  const serf::Tags& tags() const { return tags_; }
  // All tags of a member, wherever they travelled. nullopt: what it says are no tags.
  std::optional<serf::Tags> tags_of(const MemberInfo& member) const;

  // Shared data, under kGinnel only; see metadata/metadata.h. Outcome at every member: Changed.
  Result<metadata::Version, metadata::Refusal> put(
      Instant now, const metadata::Key& key, ConstBytes value,
      const std::optional<metadata::Version>& if_seen = std::nullopt);
  Result<metadata::Version, metadata::Refusal> erase(
      Instant now, const metadata::Key& key,
      const std::optional<metadata::Version>& if_seen = std::nullopt);
  const metadata::Metadata& shared() const { return metadata_; }
  // Our own row of this name, which others read and do not write.
  metadata::Key own_key(std::string_view name) const;

  // memberlist's three ways for a message (Swim::broadcast, send_best_effort, send_reliable). Not
  // under kSerf, whose members would misread raw bytes: the caller looks at app() first.
  Result<void, Drop> broadcast(Instant now, ConstBytes message);
  Result<void, Drop> send_best_effort(Instant now, std::string_view name, ConstBytes message);
  Result<StreamId, Drop> send_reliable(Instant now, std::string_view name, ConstBytes message);

  // Serf's, under kSerf and kGinnel.
  Result<void, Drop> event(Instant now, std::string_view name, ConstBytes payload, bool coalesce);
  Result<serf::QueryNumber, Drop> query(Instant now, std::string_view name, ConstBytes payload,
                                        const serf::QueryOptions& options);
  Result<serf::QueryNumber, Drop> key_query(Instant now, serf::KeyOp op, ConstBytes key);
  // A change of our own ring only; for clusters without serf's queries.
  serf::KeyOutcome change_keys(serf::KeyOp op, ConstBytes key);

  void handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes datagram);
  void handle_timeout(Instant now);
  std::optional<StreamId> accept_stream(Instant now, const Endpoint& from);
  void handle_stream_data(Instant now, StreamId stream, ConstBytes bytes);
  void handle_stream_closed(Instant now, StreamId stream, StreamEnd end);

  std::optional<Transmit> poll_transmit(Instant now, Bytes out) {
    return swim_.poll_transmit(now, out);
  }
  std::optional<Event> poll_event();
  std::optional<Instant> next_timeout() const;

  App app() const { return app_; }
  bool is_leaving() const { return leaving_; }
  // By name; where serf is spoken a member that is dead after its leave intent is kLeft.
  std::vector<MemberInfo> members() const;
  std::optional<MemberInfo> member(std::string_view name) const;
  const Swim& swim() const { return swim_; }
  // Before start() only: the keys of the ring.
  KeyRing& keys() { return swim_.framer().keys(); }
  const serf::Serf& serf_layer() const { return serf_; }

 private:
  enum class Timer { kLeaveSpread, kCount };

  static Config swim_config(AgentConfig config);
  ByteVector own_meta() const;
  // Every call that feeds the cores ends here: events are sorted by whose they are.
  void settle(Instant now);
  void route(Instant now, swim::Event event);
  void route(serf::SerfEvent event);
  void route(metadata::Changed event);
  bool is_others(Instant now, const swim::Event& event);
  ByteVector wrapped(ConstBytes message) const;
  Result<void, Drop> spread_tags(Instant now, const serf::Tags& tags);
  void adopt(Instant now, const Vsn& vsn);
  MemberInfo as_shown(MemberInfo member) const;

  App app_;
  serf::Tags tags_;
  std::optional<ByteVector> meta_;
  Swim swim_;
  serf::Serf serf_;
  metadata::Metadata metadata_;
  bool leaving_ = false;
  Timers<Timer> timers_;
  std::deque<Event> events_;  // bounded: as many as the cores' own queues held
};

static_assert(ProtocolCore<Agent>);

}  // namespace ginnel::swim
