#include "node/hub_registry.h"

#include <algorithm>

#include "base/assert.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::Delta;

// The leaf and, if a delegated hub signed it, the issuer; what Trust admitted always parses.
void split_chain(Attached& row) {
  const auto chain = control::parse_chain(row.record.chain);
  GINNEL_ASSERT(chain.has_value());
  row.leaf = control::to_bytes(chain->leaf);
  row.issuer = chain->issuer;
}

control::Row row_of(const Attached& row, Instant now) {
  const auto silence = std::chrono::duration_cast<std::chrono::seconds>(now - row.heard);
  return {.state = control::Row::State::kOnline,
          .relay_index = row.relay_index,
          .seen_seconds = static_cast<std::uint32_t>(std::max<std::int64_t>(silence.count(), 0)),
          .certificate_by_hash = false,
          .certificate = row.leaf,
          .network_info = row.network_info};
}

template <class T>
ControlOut out(const T& message) {
  return {T::kControlType, control::to_bytes(message)};
}

}  // namespace

bool HubRegistry::attach(Instant now, const PeerRecord& record, ConstBytes network_info,
                         const Endpoint& endpoint, std::uint32_t relay_index, control::TablePosition held) {
  const auto it = rows_.find(record.id);
  if (it == rows_.end() && rows_.size() >= kAttachedMax) return false;
  Attached row{record, {}, {}, to_vector(network_info), endpoint, relay_index, now, {}};
  split_chain(row);
  if (it == rows_.end()) {
    rows_.emplace(record.id, std::move(row));
    note(Delta::Op::kAdd, record.id);
  } else {
    const Attached& old = it->second;
    const bool same = old.record == record && old.relay_index == relay_index &&
                      old.network_info == row.network_info;
    it->second = std::move(row);
    if (!same) note(Delta::Op::kChange, record.id);
  }
  if (followers_.contains(record.id)) return true;
  Follower follower;
  const std::uint32_t behind = sequence_ - held.sequence;
  if (held.epoch == epoch_ && behind <= log_.size()) {
    follower.stage = Follower::Stage::kDeltas;
    follower.sequence = held.sequence;
  }
  followers_.emplace(record.id, std::move(follower));
  return true;
}

void HubRegistry::set_links(const Id& id, std::vector<control::LinkReport> links) {
  const auto it = rows_.find(id);
  if (it != rows_.end()) it->second.links = std::move(links);
}

void HubRegistry::detach(const Id& id) {
  followers_.erase(id);
  if (rows_.erase(id) > 0) note(Delta::Op::kRemove, id);
}

void HubRegistry::heard(Instant now, const Id& id) {
  const auto it = rows_.find(id);
  if (it != rows_.end()) it->second.heard = now;
}

std::vector<Id> HubRegistry::silent(Instant silent_since) const {
  std::vector<std::pair<Instant, Id>> found;
  for (const auto& [id, row] : rows_) {
    if (row.heard <= silent_since) found.emplace_back(row.heard, id);
  }
  std::ranges::sort(found);
  std::vector<Id> out;
  for (const auto& [at, id] : found) out.push_back(id);
  return out;
}

void HubRegistry::restart(const Id& follower) {
  const auto it = followers_.find(follower);
  if (it == followers_.end()) return;
  it->second.stage = Follower::Stage::kBegin;
  // It may be a new run, which has none of what an earlier one was sent.
  it->second.certificates.clear();
  it->second.issuers.clear();
}

const Attached* HubRegistry::find(const Id& id) const {
  const auto it = rows_.find(id);
  return it == rows_.end() ? nullptr : &it->second;
}

void HubRegistry::note(Delta::Op op, const Id& id) {
  ++sequence_;
  log_.push_back({op, id});
  if (log_.size() > kLogMax) log_.pop_front();
}

std::optional<ControlOut> HubRegistry::next_for(const Id& id, Instant now) {
  const auto it = followers_.find(id);
  if (it == followers_.end()) return std::nullopt;
  Follower& follower = it->second;
  using Stage = Follower::Stage;
  const bool lost_track = follower.stage == Stage::kDeltas &&
                          sequence_ - follower.sequence > log_.size();
  if (lost_track) restart(id);
  switch (follower.stage) {
    case Stage::kBegin:
      begin_snapshot(follower);
      return out(control::SnapshotBegin{{epoch_, follower.sequence},
                                        static_cast<std::uint32_t>(follower.left.size())});
    case Stage::kRows: {
      const Attached* row = find(follower.left.back());
      if (!row) {
        restart(id);  // it left meanwhile, and its count is announced already
        return next_for(id, now);
      }
      if (auto issuer = issuer_for(follower, *row)) return issuer;
      return next_rows(follower, now);
    }
    case Stage::kEnd:
      return out(control::SnapshotEnd{follower.sequence});
    case Stage::kDeltas: {
      if (follower.sequence == sequence_) return std::nullopt;
      const Change& change = log_[log_.size() - (sequence_ - follower.sequence)];
      if (const Attached* row = find(change.id); row && change.op != Delta::Op::kRemove) {
        if (auto issuer = issuer_for(follower, *row)) return issuer;
      }
      return next_delta(follower, now);
    }
  }
  return std::nullopt;
}

void HubRegistry::begin_snapshot(Follower& follower) const {
  follower.sequence = sequence_;
  follower.left.clear();
  for (const auto& [id, row] : rows_) follower.left.push_back(id);
}

std::optional<ControlOut> HubRegistry::issuer_for(Follower& follower, const Attached& row) const {
  follower.issuer_at_hand.reset();
  if (!row.issuer) return std::nullopt;
  const auto hash = control::key_hash(row.issuer->identity);
  if (follower.issuers.contains(hash)) return std::nullopt;
  follower.issuer_at_hand = hash;
  return out(control::Issuer{*row.issuer});
}

// Rows leave in one message up to its limit, or up to a row whose issuer must be sent first, or one
// that is gone. The first of `left` is neither.
ControlOut HubRegistry::next_rows(Follower& follower, Instant now) const {
  std::vector<control::Row> rows;
  std::size_t size = 0;
  for (auto id = follower.left.rbegin(); id != follower.left.rend(); ++id) {
    const Attached* row = find(*id);
    if (!row) break;
    const bool needs_issuer =
        row->issuer && !follower.issuers.contains(control::key_hash(row->issuer->identity));
    const control::Row wire = row_of(*row, now);
    size += control::row_bytes(wire);
    if (needs_issuer || size > control::Rows::kBytesMax) break;
    rows.push_back(wire);
  }
  follower.batch = rows.size();
  return out(control::Rows{rows});
}

ControlOut HubRegistry::next_delta(Follower& follower, Instant now) const {
  const Change& change = log_[log_.size() - (sequence_ - follower.sequence)];
  const Attached* row = find(change.id);
  Delta delta;
  delta.sequence = follower.sequence + 1;
  follower.certificate_at_hand.reset();
  if (!row || change.op == Delta::Op::kRemove) {
    delta.op = Delta::Op::kRemove;
    delta.removed = change.id;
    return out(delta);
  }
  delta.op = change.op;
  delta.row = row_of(*row, now);
  const crypto::Digest hash = control::certificate_hash(row->leaf);
  const auto known = follower.certificates.find(change.id);
  if (delta.op == Delta::Op::kChange && known != follower.certificates.end() &&
      known->second == hash) {
    delta.row.certificate_by_hash = true;
    delta.row.certificate = known->second;
  }
  follower.certificate_at_hand.emplace(change.id, hash);
  return out(delta);
}

void HubRegistry::done(const Id& id) {
  const auto it = followers_.find(id);
  if (it == followers_.end()) return;
  Follower& follower = it->second;
  using Stage = Follower::Stage;
  if (follower.issuer_at_hand) {
    follower.issuers.insert(*follower.issuer_at_hand);
    follower.issuer_at_hand.reset();
    return;
  }
  switch (follower.stage) {
    case Stage::kBegin:
      follower.stage = follower.left.empty() ? Stage::kEnd : Stage::kRows;
      return;
    case Stage::kRows:
      for (; follower.batch > 0; --follower.batch) {
        const Id& sent = follower.left.back();
        if (const Attached* row = find(sent)) {
          follower.certificates.insert_or_assign(sent, control::certificate_hash(row->leaf));
        }
        follower.left.pop_back();
      }
      if (follower.left.empty()) follower.stage = Stage::kEnd;
      return;
    case Stage::kEnd:
      follower.stage = Stage::kDeltas;
      return;
    case Stage::kDeltas:
      ++follower.sequence;
      if (follower.certificate_at_hand) {
        follower.certificates.insert_or_assign(follower.certificate_at_hand->first,
                                               follower.certificate_at_hand->second);
      }
      return;
  }
}

}  // namespace ginnel::node
