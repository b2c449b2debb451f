// What makes a memberlist member a serf member: join and leave intents, user events, queries with
// their answers, changes of keys, network coordinates.
//
//   Serf serf(swim, rng);
//   serf.start(now);
//   while (auto event = swim.poll_event()) if (!serf.handle(now, *event)) deliver(*event);
//   serf.event(now, "deploy", bytes_of("v1"), true);
//   auto number = serf.query(now, "uptime", {}, {});      // Answer…, then QueryDone
//
// It speaks through the Swim that it is given, which must outlive it. Not thread-safe. Allocates.
// Source: serf a24f620 (serf.go, delegate.go, query.go, internal_query.go), Debian's serf 0.9.4.
#pragma once
#include <deque>
#include <variant>

#include "base/timers.h"
#include "proto/swim/serf/coordinate.h"
#include "proto/swim/serf/filter.h"
#include "proto/swim/serf/intents.h"
#include "proto/swim/serf/key_query.h"
#include "proto/swim/serf/seen.h"
#include "proto/swim/swim.h"

namespace ginnel::swim::serf {

using QueryNumber = StrongInt<struct QueryNumberTag, std::uint32_t>;

struct EventArrived { std::string name; ByteVector payload; Ltime ltime = 0; };
struct QueryArrived { std::string name; ByteVector payload; Ltime ltime = 0; std::string from; };
// Of a query of ours; each member acknowledges and answers once.
struct QueryAck { QueryNumber query; std::string from; };
struct QueryAnswer { QueryNumber query; std::string from; ByteVector payload; };
struct QueryDone { QueryNumber query; };  // its time is over
struct KeyChanged { KeyOp op = KeyOp::kList; std::string fingerprint; };  // of our own ring
// A failed member counts as left from now on: somebody said so for it.
struct CalledLeft { std::string name; };

using SerfEvent = std::variant<EventArrived, QueryArrived, QueryAck, QueryAnswer, QueryDone,
                               KeyChanged, CalledLeft>;

// serf agent's limits: an event's name and payload, a query's and a response's whole message.
inline constexpr std::size_t kEventBytesMax = 512;
inline constexpr std::size_t kQueryBytesMax = 1024;
inline constexpr std::size_t kResponseBytesMax = 1024;

struct QueryOptions {
  Nanoseconds timeout{};  // 0: serf's, 16 gossip intervals x ceil(log10(n + 1))
  bool ack = true;        // ask each member to acknowledge
  std::uint8_t relay_factor = 0;
  std::vector<std::string> names;                         // only these
  std::vector<std::pair<std::string, std::string>> tags;  // only those whose tag fits the pattern
};

class Serf {
 public:
  // At these limits: an event is dropped, a query refused.
  static constexpr std::size_t kEventsMax = 16'384;
  static constexpr std::size_t kQueriesMax = 256;
  // More members that left without a word are not spoken for: serf goes on to call them failed.
  static constexpr std::size_t kUnsaidMax = 4096;

  Serf(Swim& swim, Rng rng);
  Serf(const Serf&) = delete;
  Serf& operator=(const Serf&) = delete;

  // From here on acks carry coordinates and push/pulls carry our state.
  void start(Instant now);
  // What an event of Swim's means to serf. True: it is ours alone, nobody else needs it.
  bool handle(Instant now, const swim::Event& event);

  // Tells everybody, ourselves included. Errors: kTooLarge.
  Result<void, Drop> event(Instant now, std::string_view name, ConstBytes payload, bool coalesce);
  // Asks everybody, ourselves included. Outcome: QueryAck, QueryAnswer, QueryDone.
  // Errors: kTooLarge, kQueueFull.
  Result<QueryNumber, Drop> query(Instant now, std::string_view name, ConstBytes payload,
                                  const QueryOptions& options);
  // A change of every member's ring, ours included, or (kList) everybody's keys. As query().
  Result<QueryNumber, Drop> key_query(Instant now, KeyOp op, ConstBytes key);

  // Says that we are about to leave. memberlist's leave should follow when that has spread.
  void announce_leave(Instant now);
  // Says that we are here, against older leave intents: after each join.
  void announce_join(Instant now);

  // Whether a member that is dead to memberlist counts as left.
  bool is_leaving(std::string_view name) const { return intents_.is_leaving(name); }
  const Coordinate& coordinate() const { return coordinates_.coordinate(); }

  // Brings what push/pulls carry up to date. Before anything that may begin one.
  void refresh_user_state();

  void handle_timeout(Instant now);
  std::optional<Instant> next_timeout() const {
    return earlier(deadlines_.next(), unsaid_.next());
  }
  std::optional<SerfEvent> poll_event();
  std::uint64_t dropped() const { return dropped_; }  // messages that were no serf messages

 private:
  using QueryKey = std::pair<Ltime, std::uint32_t>;
  struct Running {
    QueryNumber number;
    std::set<std::string, std::less<>> acked;
    std::set<std::string, std::less<>> answered;
  };

  // serf.cc
  void tell(SerfEvent event);
  void pass_on(Instant now, ConstBytes message);
  void handle_message(Instant now, const Endpoint& from, ConstBytes message);
  void handle_join(Instant now, const JoinIntent& intent, ConstBytes message);
  void handle_leave(Instant now, const LeaveIntent& intent, ConstBytes message);
  bool take_leave(Instant now, const LeaveIntent& intent);
  void take_status(Instant now, const JoinIntent& intent);
  void watch_left(Instant now, const std::string& name);
  void say_left(Instant now, const std::string& name);
  void handle_event(Instant now, const UserEvent& event, ConstBytes message);
  bool take_event(const UserEvent& event);
  void handle_state(Instant now, const RemoteState& state);
  const std::string& own_name() const { return swim_.config().name; }

  // serf_query.cc
  void handle_query(Instant now, const Query& query, ConstBytes message);
  void take_query(Instant now, const Query& query);
  bool is_for_us(const Query& query) const;
  void answer(const Query& query, std::uint32_t flags, ConstBytes payload);
  void relay(const Query& query, ConstBytes response);
  void answer_conflict(const Query& query);
  void answer_key(const Query& query, KeyOp op);
  void handle_response(const QueryResponse& response);
  void handle_relay(ConstBytes body);

  Swim& swim_;
  Rng rng_;
  Intents intents_;
  EventBuffer events_seen_;
  QueryBuffer queries_seen_;
  CoordinateClient coordinates_;
  bool leaving_ = false;
  bool state_changed_ = true;
  bool joined_ = false;  // the first state of others sets the time from which events are ours
  std::map<QueryKey, Running> running_;
  DeadlineQueue<QueryKey> deadlines_;  // of exactly those
  DeadlineQueue<std::string> unsaid_;  // left by memberlist, with no intent that we know of
  std::uint32_t queries_made_ = 0;
  std::deque<SerfEvent> events_;
  std::uint64_t dropped_ = 0;
};

}  // namespace ginnel::swim::serf
