#include "node/table_copy.h"

#include "proto/control/identity.h"
#include "proto/control/signing.h"

namespace ginnel::node {

using control::ControlType;

TableCopy::TableCopy(const crypto::NetworkPublic& network) : network_(network) {}

bool TableCopy::handle(ControlType type, ConstBytes body) {
  switch (type) {
    case ControlType::kSnapshotBegin: return begin(body) || fail();
    case ControlType::kRows: return add_rows(body) || fail();
    case ControlType::kSnapshotEnd: return end(body) || fail();
    case ControlType::kDelta: return apply_delta(body) || fail();
    case ControlType::kIssuer: return remember_issuer(body) || fail();
    default: return true;
  }
}

std::optional<TableChange> TableCopy::poll_change() {
  if (changes_.empty()) return std::nullopt;
  TableChange out = std::move(changes_.front());
  changes_.pop_front();
  return out;
}

// Certificates and issuers stay: a hub that did not miss us may go on naming them by hash.
void TableCopy::forget_position() {
  position_ = {};
  building_.reset();
  changes_.clear();
}

bool TableCopy::fail() {
  building_.reset();
  needs_snapshot_ = true;
  return false;
}

bool TableCopy::begin(ConstBytes body) {
  const auto message = control::parse_snapshot_begin(body);
  if (!message || message->row_count > kTableRowsMax) return false;
  building_ = Building{*message, {}, {}};
  return true;
}

bool TableCopy::add_rows(ConstBytes body) {
  if (!building_) return false;
  control::RowReader rows(body);
  while (const auto row = rows.next()) {
    ByteVector leaf;
    auto set = resolve(*row, leaf);
    if (!set || building_->rows.size() >= building_->begin.row_count) return false;
    building_->leaves.insert_or_assign(set->id, std::move(leaf));
    const Id id = set->id;
    building_->rows.insert_or_assign(id, *std::move(set));
  }
  return !rows.drop();
}

bool TableCopy::end(ConstBytes body) {
  const auto message = control::parse_snapshot_end(body);
  if (!message || !building_) return false;
  if (building_->rows.size() != building_->begin.row_count) return false;
  for (const auto& [id, leaf] : leaves_) {
    if (!building_->rows.contains(id)) changes_.push_back(RowRemoved{id});
  }
  for (auto& [id, row] : building_->rows) changes_.push_back(std::move(row));
  leaves_.clear();
  by_hash_.clear();
  for (auto& [id, leaf] : building_->leaves) set_leaf(id, std::move(leaf));
  position_ = {building_->begin.position.epoch, message->sequence};
  building_.reset();
  needs_snapshot_ = false;
  return true;
}

bool TableCopy::apply_delta(ConstBytes body) {
  const auto delta = control::parse_delta(body);
  if (!delta || building_) return false;
  if (position_.epoch == 0) return false;
  if (delta->sequence <= position_.sequence) return true;  // an older one: known already
  if (delta->sequence != position_.sequence + 1) return false;
  if (delta->op == control::Delta::Op::kRemove) {
    erase_leaf(delta->removed);
    changes_.push_back(RowRemoved{delta->removed});
  } else {
    ByteVector leaf;
    auto set = resolve(delta->row, leaf);
    if (!set || (leaves_.size() >= kTableRowsMax && !leaves_.contains(set->id))) return false;
    set_leaf(set->id, std::move(leaf));
    changes_.push_back(*std::move(set));
  }
  position_.sequence = delta->sequence;
  return true;
}

bool TableCopy::remember_issuer(ConstBytes body) {
  const auto issuer = control::parse_issuer(body);
  if (!issuer) return false;
  if (issuers_.size() >= kIssuersMax) issuers_.clear();
  const auto hash = control::key_hash(issuer->certificate.identity);
  issuers_.insert_or_assign(hash, issuer->certificate);
  return true;
}

const ByteVector* TableCopy::find_leaf(ConstBytes hash) const {
  crypto::Digest digest{};
  if (hash.size() != digest.size()) return nullptr;
  std::ranges::copy(hash, digest.begin());
  const auto id = by_hash_.find(digest);
  if (id == by_hash_.end()) return nullptr;
  const auto leaf = leaves_.find(id->second);
  return leaf == leaves_.end() ? nullptr : &leaf->second;
}

void TableCopy::set_leaf(const Id& id, ByteVector leaf) {
  erase_leaf(id);
  by_hash_.insert_or_assign(control::certificate_hash(leaf), id);
  leaves_.insert_or_assign(id, std::move(leaf));
}

void TableCopy::erase_leaf(const Id& id) {
  const auto it = leaves_.find(id);
  if (it == leaves_.end()) return;
  by_hash_.erase(control::certificate_hash(it->second));
  leaves_.erase(it);
}

std::optional<RowSet> TableCopy::resolve(const control::Row& row, ByteVector& leaf_bytes) const {
  if (row.certificate_by_hash) {
    const ByteVector* known = find_leaf(row.certificate);
    if (!known) return std::nullopt;
    leaf_bytes = *known;
  } else {
    leaf_bytes = to_vector(row.certificate);
  }
  const auto leaf = control::parse_certificate(leaf_bytes);
  if (!leaf) return std::nullopt;
  control::Chain chain{*leaf, std::nullopt};
  if (leaf->issuer != control::key_hash(network_)) {
    const auto issuer = issuers_.find(leaf->issuer);
    if (issuer == issuers_.end()) return std::nullopt;
    chain.issuer = issuer->second;
  }
  return RowSet{.id = control::derive_id(network_, leaf->role, leaf->identity),
                .chain = control::to_bytes(chain),
                .network_info = to_vector(row.network_info),
                .relay_index = row.relay_index,
                .online = row.state == control::Row::State::kOnline};
}

}  // namespace ginnel::node
