#include "proto/swim/metadata/store.h"

#include "crypto/siphash.h"
#include "proto/swim/metadata/limits.h"

namespace ginnel::swim::metadata {
namespace {

std::size_t bytes_of_row(std::string_view key, std::string_view writer, ConstBytes value) {
  return key.size() + writer.size() + value.size();
}

// Two values under one version would else look alike for ever: the value counts too.
std::uint64_t hash_of_row(const Row& row) {
  ByteVector head;
  const auto put = [&](std::uint64_t n) {
    for (int i = 0; i < 8; ++i) head.push_back(static_cast<std::byte>(n >> (8 * i)));
  };
  put(hash_of(row.key));
  put(row.version.time);
  put(hash_of(row.version.writer));
  put(row.deleted ? 1 : 0);
  put(crypto::siphash(crypto::SipKey{}, row.value));
  return crypto::siphash(crypto::SipKey{}, head);
}

bool is_own(std::string_view wire_key) {
  return wire_key[0] == static_cast<char>(Space::kOwn);
}

bool is_foreign(const Change& change) {
  return is_own(change.key) &&
         change.key.substr(1, change.key.find('\0', 1) - 1) != change.writer;
}

}  // namespace

bool ages(std::string_view wire_key, bool deleted) { return deleted || is_own(wire_key); }

const Row* Store::find(std::uint64_t hash) const {
  const auto it = rows_.find(hash);
  return it == rows_.end() ? nullptr : &it->second;
}

const Row* Store::find(std::string_view wire_key) const {
  const Row* row = find(hash_of(wire_key));
  return row != nullptr && row->key == wire_key ? row : nullptr;
}

// The last writer wins. One version with two contents is a fault of its writer: then the deletion,
// else the greater value, so that all members decide alike.
bool Store::wins(const Change& change, const Row& row) const {
  if (change.time != row.version.time) return change.time > row.version.time;
  if (change.writer != row.version.writer) return change.writer > row.version.writer;
  if (change.deleted != row.deleted) return change.deleted;
  return std::ranges::lexicographical_compare(row.value, change.value);
}

Merge Store::apply(Instant now, const Change& change) {
  if (clock_.is_ahead(now, change.time)) return Merge::kAhead;
  if (is_foreign(change)) return Merge::kForeign;
  if (ages(change.key, change.deleted) && clock_.is_older(now, change.time, kAgingTime)) {
    return Merge::kExpired;
  }
  const std::uint64_t hash = hash_of(change.key);
  const Row* row = find(hash);
  if (row != nullptr && row->key != change.key) return Merge::kFull;
  if (row != nullptr && !wins(change, *row)) return Merge::kKnown;
  const std::size_t before =
      row == nullptr ? 0 : bytes_of_row(row->key, row->version.writer, row->value);
  const std::size_t after = bytes_of_row(change.key, change.writer, change.value);
  if (row == nullptr && rows_.size() >= kRowsMax) return Merge::kFull;
  if (after > before && bytes_ - before + after > kBytesMax) return Merge::kFull;
  clock_.witness(change.time);
  replace(hash, change);
  return Merge::kApplied;
}

void Store::replace(std::uint64_t hash, const Change& change) {
  forget(hash);
  Row& row = rows_[hash];
  row.key = change.key;
  row.version = {change.time, std::string(change.writer)};
  row.deleted = change.deleted;
  if (!change.deleted) row.value = to_vector(change.value);
  row.hash = hash_of_row(row);
  bytes_ += bytes_of_row(row.key, row.version.writer, row.value);
  fold(hash, row);
  if (ages(row.key, row.deleted)) aging_.emplace(row.version.time, hash);
}

void Store::forget(std::uint64_t hash) {
  const auto it = rows_.find(hash);
  if (it == rows_.end()) return;
  bytes_ -= bytes_of_row(it->second.key, it->second.version.writer, it->second.value);
  fold(hash, it->second);
  aging_.erase({it->second.version.time, hash});
  rows_.erase(it);
}

void Store::fold(std::uint64_t hash, const Row& row) {
  branches_[branch_of(hash)] ^= row.hash;
  root_ ^= row.hash;
}

void Store::expire(Instant now) {
  while (!aging_.empty() && clock_.is_older(now, aging_.begin()->first, kAgingTime)) {
    forget(aging_.begin()->second);
  }
}

void Store::each_in(std::size_t branch,
                    const std::function<void(std::uint64_t, const Row&)>& visit) const {
  const std::uint64_t first = static_cast<std::uint64_t>(branch) << 56;
  for (auto it = rows_.lower_bound(first); it != rows_.end(); ++it) {
    if (branch_of(it->first) != branch) return;
    visit(it->first, it->second);
  }
}

void Store::each(const std::function<void(const Row&)>& visit) const {
  for (const auto& [hash, row] : rows_) visit(row);
}

}  // namespace ginnel::swim::metadata
