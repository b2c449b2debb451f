// All rows that a member holds, which of two changes wins, and a digest of it all.
//
//   Store store;
//   store.apply(now, change);         // kApplied, or why not
//   store.find(key);                  // nullptr: no such row; it may be one that was deleted
//   store.root(); store.branch(b);    // equal at two members: they hold the same
//
// Not thread-safe. Allocates.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "proto/swim/metadata/key.h"
#include "proto/swim/metadata/version.h"

namespace ginnel::swim::metadata {

struct Row {
  std::string key;  // as on the wire
  Version version;
  bool deleted = false;
  ByteVector value;  // empty when deleted
  std::uint64_t hash = 0;  // of all above
};

// A row as it was said, borrowed.
struct Change {
  std::string_view key;  // as on the wire, valid
  std::uint64_t time = 0;
  std::string_view writer;
  bool deleted = false;
  ConstBytes value;
};

enum class Merge : std::uint8_t {
  kApplied,
  kKnown,   // we have this one or a later one
  kAhead,   // its time is in the future
  kExpired, // deleted, or a member's own, so long ago that we have forgotten it
  kForeign, // a member's own row, written by another
  kFull,    // no room
};

class Store {
 public:
  // The keys' hashes in so many parts of equal width.
  static constexpr std::size_t kBranches = 256;
  static std::size_t branch_of(std::uint64_t hash) { return hash >> 56; }

  Clock& clock() { return clock_; }
  const Clock& clock() const { return clock_; }

  const Row* find(std::string_view wire_key) const;
  const Row* find(std::uint64_t hash) const;
  Merge apply(Instant now, const Change& change);
  // Forgets what is older than kAgingTime and ages.
  void expire(Instant now);

  // Rows whose hash lies in this branch, in the order of their hashes.
  void each_in(std::size_t branch,
               const std::function<void(std::uint64_t, const Row&)>& visit) const;
  void each(const std::function<void(const Row&)>& visit) const;

  std::uint64_t root() const { return root_; }
  const std::array<std::uint64_t, kBranches>& branches() const { return branches_; }
  std::size_t size() const { return rows_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  bool wins(const Change& change, const Row& row) const;
  void replace(std::uint64_t hash, const Change& change);
  void forget(std::uint64_t hash);
  void fold(std::uint64_t hash, const Row& row);

  Clock clock_;
  std::map<std::uint64_t, Row> rows_;  // by the key's hash
  std::set<std::pair<std::uint64_t, std::uint64_t>> aging_;  // (time, hash) of rows that age
  // The exclusive or of the rows' hashes: adding and taking out are the same.
  std::array<std::uint64_t, kBranches> branches_{};
  std::uint64_t root_ = 0;
  std::size_t bytes_ = 0;
};

// Those that end by themselves: deleted ones, and members' own.
bool ages(std::string_view wire_key, bool deleted);

}  // namespace ginnel::swim::metadata
