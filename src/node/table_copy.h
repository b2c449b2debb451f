// A node's copy of one hub's table E, kept by snapshot and numbered deltas (docs/wire/ginnel.md
// section 7).
//
//   TableCopy copy(network);
//   if (!copy.handle(type, body)) ...                  // a gap, or damage: needs_snapshot()
//   while (auto change = copy.poll_change()) ...       // rows to admit, rows to drop
//
// A new snapshot is built beside the old table and swapped at its end, so nobody vanishes meanwhile.
// It checks no signature: the node admits what comes out of poll_change.
#pragma once
#include <deque>
#include <map>
#include <variant>

#include "crypto/hash.h"
#include "proto/control/table.h"

namespace ginnel::node {

// Rows a hub may announce; more and the snapshot is refused.
inline constexpr std::size_t kTableRowsMax = 65'536;
// Certificates of delegated hubs remembered per hub session.
inline constexpr std::size_t kIssuersMax = 64;

struct RowSet {
  Id id;
  ByteVector chain;
  ByteVector network_info;
  std::uint32_t relay_index = 0;
  bool online = false;
};
struct RowRemoved {
  Id id;
};
using TableChange = std::variant<RowSet, RowRemoved>;

class TableCopy {
 public:
  explicit TableCopy(const crypto::NetworkPublic& network);

  // Takes SNAPSHOT_BEGIN, ROWS, SNAPSHOT_END, DELTA or ISSUER; other types are ignored. False: the
  // copy cannot go on without a new snapshot (needs_snapshot() is set); what it held stays.
  bool handle(control::ControlType type, ConstBytes body);
  std::optional<TableChange> poll_change();

  control::TablePosition position() const { return position_; }
  bool needs_snapshot() const { return needs_snapshot_; }
  // A request was sent.
  void snapshot_requested() { needs_snapshot_ = false; }
  std::size_t size() const { return leaves_.size(); }
  // The rows that it told of were dropped by its owner: they have to come again, in a snapshot.
  void forget_position();

 private:
  struct Building {
    control::SnapshotBegin begin;
    std::map<Id, RowSet> rows;
    std::map<Id, ByteVector> leaves;
  };

  bool begin(ConstBytes body);
  bool add_rows(ConstBytes body);
  bool end(ConstBytes body);
  bool apply_delta(ConstBytes body);
  bool remember_issuer(ConstBytes body);
  // nullopt: the certificate is not known or cannot be read.
  std::optional<RowSet> resolve(const control::Row& row, ByteVector& leaf) const;
  const ByteVector* find_leaf(ConstBytes hash) const;
  void set_leaf(const Id& id, ByteVector leaf);
  void erase_leaf(const Id& id);
  bool fail();

  crypto::NetworkPublic network_;
  control::TablePosition position_;
  bool needs_snapshot_ = false;
  std::map<Id, ByteVector> leaves_;       // of the rows held
  std::map<crypto::Digest, Id> by_hash_;  // the same by certificate hash
  std::map<control::KeyHash, control::Certificate> issuers_;
  std::optional<Building> building_;
  std::deque<TableChange> changes_;
};

}  // namespace ginnel::node
