// Data that all members of a cluster share: changes spread as rumors, what a rumor missed is repaired
// by comparing digests, and of two changes of one key the later wins.
//
//   Metadata metadata(swim, rng);
//   metadata.start(now);
//   while (auto event = swim.poll_event()) if (!metadata.handle(now, *event)) deliver(*event);
//   metadata.put(now, {.name = "db/leader"}, bytes_of("web-1"), {});
//   metadata.get({.name = "db/leader"});
//
// An exchange, with a random member each kExchangeInterval:
//   1. Root -> (a datagram of some 40 bytes); the same hash: that was all
//   2. <- Branches: 256 hashes (from here on streams)
//   3. Leaves -> of the branches that differ, each row's hash and time
//   4. <- Rows that are newer there, and Want for those that are newer here
//   5. Rows ->
//
// It speaks through the Swim that it is given, which must outlive it. Not thread-safe. Allocates.
#pragma once
#include <deque>

#include "base/timers.h"
#include "proto/swim/metadata/wire.h"
#include "proto/swim/swim.h"

namespace ginnel::swim::metadata {

inline constexpr Nanoseconds kExchangeInterval = 10s;

struct Item {
  Key key;
  Version version;
  ByteVector value;
};

// A row is another now, by whomever. The value may already be a later one: get() it.
struct Changed {
  Key key;
  Version version;
  bool deleted = false;
};

// Why put() or erase() changed nothing.
enum class Refusal : std::uint8_t {
  kMalformed,   // no such key can be; or another member's own
  kTooLarge,    // the key or the value
  kFull,        // kRowsMax or kBytesMax
  kChanged,     // `if_seen` is not the version that is here
  kUnknownKey,  // nothing to erase
  kClock,       // our clock was put back so far that others would not believe the new version
};

class Metadata {
 public:
  Metadata(Swim& swim, Rng rng);
  Metadata(const Metadata&) = delete;
  Metadata& operator=(const Metadata&) = delete;

  void set_clock(Instant now, Wall wall) { store_.clock().set(now, wall); }
  // From here on it takes part.
  void start(Instant now);
  // What an event of Swim's means here. True: it is ours alone, nobody else needs it.
  bool handle(Instant now, const swim::Event& event);

  // Both return the new version. `if_seen`: only if this is the version that this member holds
  // (Version{}: none, or deleted). Another member may change it at the same moment: it is no lock.
  Result<Version, Refusal> put(Instant now, const Key& key, ConstBytes value,
                               const std::optional<Version>& if_seen);
  Result<Version, Refusal> erase(Instant now, const Key& key,
                                 const std::optional<Version>& if_seen);
  // Not those that are deleted.
  std::optional<Item> get(const Key& key) const;
  std::vector<Item> list(const Key& prefix) const;  // names that begin so; in order

  void handle_timeout(Instant now);
  std::optional<Instant> next_timeout() const { return earlier(timers_.next(), pulls_.next()); }
  std::optional<Changed> poll_event();

  const Store& store() const { return store_; }
  // False until a member that was met has answered our first digest.
  bool is_caught_up() const { return !timers_.is_set(Timer::kCatchUp); }
  std::uint64_t refused(Merge why) const { return refused_[static_cast<std::size_t>(why)]; }
  std::uint64_t unreadable() const { return unreadable_; }  // messages that were none of ours
  std::uint64_t unanswered() const { return unanswered_; }  // at a limit, or the asker is unknown
  std::uint64_t differences() const { return differences_; }  // roots of others that were not ours
  std::uint64_t events_lost() const { return events_lost_; }

 private:
  // kExchange: time for the next one. kCatchUp: nobody has answered our first digest yet.
  enum class Timer { kExchange, kCatchUp, kCount };

  // metadata.cc
  const std::string& own_name() const;
  Result<Version, Refusal> write(Instant now, const Key& key, bool deleted, ConstBytes value,
                                 const std::optional<Version>& if_seen);
  void tell(const Change& change);
  void pass_on(Instant now, const Change& change);
  bool take(Instant now, const Change& change);
  void defend(Instant now, const Change& change);
  void renew_own(Instant now);
  void handle(Instant now, const Rumor& message);
  void handle(Instant now, const Announce& message);

  // exchange.cc
  void met(Instant now, const Endpoint& via);
  void catch_up(Instant now);
  void send_root(Instant now);
  bool send(Instant now, std::string_view to, const ByteVector& message);
  void send_rows(Instant now, std::string_view to, const std::vector<const Row*>& rows);
  void handle(Instant now, const Root& message);
  void handle(Instant now, const Same& message);
  void handle(Instant now, const Branches& message);
  void handle(Instant now, const Leaves& message);
  void handle(Instant now, const Want& message);
  void handle(Instant now, const Rows& message);

  Swim& swim_;
  Rng rng_;
  Store store_;
  std::map<std::string, ByteVector> own_;  // our own rows as we want them, by wire key
  DeadlineQueue<std::uint64_t> pulls_;     // values that were announced and asked for
  Timers<Timer> timers_;
  std::size_t answers_ = 0;  // to Roots, since the last exchange of ours
  std::deque<Changed> events_;
  std::array<std::uint64_t, 6> refused_{};  // by Merge
  std::uint64_t unreadable_ = 0;
  std::uint64_t unanswered_ = 0;
  std::uint64_t differences_ = 0;
  std::uint64_t events_lost_ = 0;
};

}  // namespace ginnel::swim::metadata
