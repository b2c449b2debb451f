// A hub's table E: the nodes attached to it, and what each of them has been told of the others
// (docs/design.md section 8; docs/wire/ginnel.md section 7).
//
//   HubRegistry registry(epoch);
//   registry.attach(now, record, register, observed) -> relay index
//   registry.heard(now, id);                            // any authenticated packet
//   registry.expire(now) -> those that fell silent
//   while (auto message = registry.next_for(id)) send_control(...)   // snapshot or next delta
//
// Pure and deterministic. A change is queued once in a log that all followers read at their own
// pace; one that falls behind by more than kLogMax gets a new snapshot.
#pragma once
#include <deque>
#include <map>
#include <set>

#include "node/peer_record.h"
#include "proto/control/table.h"

namespace ginnel::node {

// Changes kept for followers that are behind.
inline constexpr std::size_t kLogMax = 4096;
inline constexpr std::size_t kAttachedMax = 65'536;

struct Attached {
  PeerRecord record;
  ByteVector leaf;                             // of record.chain
  std::optional<control::Certificate> issuer;  // of record.chain, when a delegated hub signed
  ByteVector network_info;
  Endpoint endpoint;  // where it registered from
  std::uint32_t relay_index = 0;
  Instant heard;
  std::vector<control::LinkReport> links;  // table B: as it reported them last
};

struct ControlOut {
  control::ControlType type{};
  ByteVector body;
};

class HubRegistry {
 public:
  explicit HubRegistry(std::uint64_t epoch) : epoch_(epoch) {}

  // Adds or renews a row. A change that shows nothing new to others queues nothing.
  // `held`: the copy the node says it has; one that fits is continued, else a snapshot follows.
  // False: kAttachedMax reached.
  bool attach(Instant now, const PeerRecord& record, ConstBytes network_info,
              const Endpoint& endpoint, std::uint32_t relay_index, control::TablePosition held);
  // What it says of its links; told to nobody.
  void set_links(const Id& id, std::vector<control::LinkReport> links);
  // The node's row goes; others are told. It follows no more.
  void detach(const Id& id);
  void heard(Instant now, const Id& id);
  // The Ids not heard since `silent_since`, oldest first; the caller detaches them.
  std::vector<Id> silent(Instant silent_since) const;

  // The follower asked for a snapshot.
  void restart(const Id& follower);
  // The next control message for this follower; nullopt: it is up to date. Call done() once the
  // message is queued for it; until then the same message comes again.
  std::optional<ControlOut> next_for(const Id& follower, Instant now);
  void done(const Id& follower);

  control::TablePosition position() const { return {epoch_, sequence_}; }
  const Attached* find(const Id& id) const;
  const std::map<Id, Attached>& rows() const { return rows_; }

 private:
  struct Change {
    control::Delta::Op op{};
    Id id;
  };
  // What a follower has been sent.
  struct Follower {
    // Sends in this order; kDeltas for as long as it keeps up.
    enum class Stage : std::uint8_t { kBegin, kRows, kEnd, kDeltas };
    Stage stage = Stage::kBegin;
    std::uint32_t sequence = 0;   // kDeltas: of the last delta sent; before: that of the snapshot
    std::vector<Id> left;         // kRows: those still to send, the next one last
    std::size_t batch = 0;        // kRows: how many of them the message at hand takes
    std::map<Id, crypto::Digest> certificates;  // sent in this session, for rows by hash
    std::set<control::KeyHash> issuers;         // sent in this session
    std::optional<control::KeyHash> issuer_at_hand;
    std::optional<std::pair<Id, crypto::Digest>> certificate_at_hand;
  };

  void note(control::Delta::Op op, const Id& id);
  std::optional<ControlOut> issuer_for(Follower& follower, const Attached& row) const;
  ControlOut next_rows(Follower& follower, Instant now) const;
  ControlOut next_delta(Follower& follower, Instant now) const;
  void begin_snapshot(Follower& follower) const;

  std::uint64_t epoch_;
  std::uint32_t sequence_ = 0;  // of the newest change
  std::map<Id, Attached> rows_;
  std::map<Id, Follower> followers_;
  std::deque<Change> log_;  // the newest kLogMax changes; back() has sequence_
};

}  // namespace ginnel::node
