// Two members compare what they hold, and each gives the other what is newer with it.
#include "proto/swim/metadata/limits.h"
#include "proto/swim/metadata/metadata.h"

namespace ginnel::swim::metadata {
namespace {

constexpr Nanoseconds kCatchUpAgain = 1s;

}  // namespace

void Metadata::handle_timeout(Instant now) {
  while (pulls_.take_expired(now)) {
  }
  if (timers_.take_expired(Timer::kCatchUp, now)) catch_up(now);
  if (!timers_.take_expired(Timer::kExchange, now)) return;
  const Nanoseconds interval = kExchangeInterval;
  timers_.set(Timer::kExchange, now + rng_.between(interval * 3 / 4, interval * 5 / 4));
  answers_ = 0;
  store_.expire(now);
  renew_own(now);
  send_root(now);
}

// A newcomer does not wait for the next exchange, and uses streams, which do not get lost: it asks
// the member that took it in, who knows it already, and then others until one has answered.
void Metadata::met(Instant now, const Endpoint& via) {
  for (const MemberInfo& member : swim_.members()) {
    if (member.endpoint != via || member.name == own_name()) continue;
    timers_.set(Timer::kCatchUp, now + kCatchUpAgain);
    send(now, member.name, encode(Root{store_.root(), true, own_name()}));
    return;
  }
  catch_up(now);
}

void Metadata::catch_up(Instant now) {
  timers_.set(Timer::kCatchUp, now + kCatchUpAgain);
  const auto partner = swim_.exchange_partner();
  if (!partner) return timers_.stop(Timer::kCatchUp);
  send(now, *partner, encode(Root{store_.root(), true, own_name()}));
}

void Metadata::send_root(Instant) {
  const auto partner = swim_.exchange_partner();
  if (!partner) return;
  (void)swim_.send_best_effort(*partner, encode(Root{store_.root(), false, own_name()}));
}

bool Metadata::send(Instant now, std::string_view to, const ByteVector& message) {
  if (to != own_name() && swim_.send_reliable(now, to, message)) return true;
  ++unanswered_;
  return false;
}

void Metadata::handle(Instant now, const Root& message) {
  const bool same = message.hash == store_.root();
  if (!same) ++differences_;
  if (same && !message.answer_wanted) return;
  if (answers_ == kAnswersMax) {
    ++unanswered_;
    return;
  }
  ++answers_;
  send(now, message.from, same ? encode(Same{own_name()})
                               : encode(Branches{store_.branches(), own_name()}));
}

void Metadata::handle(Instant, const Same&) { timers_.stop(Timer::kCatchUp); }

void Metadata::handle(Instant now, const Branches& message) {
  timers_.stop(Timer::kCatchUp);
  Leaves leaves{.branches = {}, .rows = {}, .from = own_name()};
  bool differ = false;
  for (std::size_t b = 0; b < Store::kBranches; ++b) {
    if (message.hashes[b] == store_.branches()[b]) continue;
    differ = leaves.branches[b] = true;
    store_.each_in(b, [&](std::uint64_t key, const Row& row) {
      leaves.rows.push_back({key, row.version.time, row.hash});
    });
  }
  if (differ) send(now, message.from, encode(leaves));
}

// What is equally old and yet another goes both ways: who is right is decided by Store::apply.
void Metadata::handle(Instant now, const Leaves& message) {
  std::map<std::uint64_t, const Leaf*> theirs;
  for (const Leaf& leaf : message.rows) {
    if (message.branches[Store::branch_of(leaf.key)]) theirs[leaf.key] = &leaf;
  }
  std::vector<const Row*> newer_here;
  for (std::size_t b = 0; b < Store::kBranches; ++b) {
    if (!message.branches[b]) continue;
    store_.each_in(b, [&](std::uint64_t key, const Row& row) {
      const auto it = theirs.find(key);
      const Leaf* leaf = it == theirs.end() ? nullptr : it->second;
      const bool same = leaf != nullptr && leaf->row == row.hash;
      if (!same && (leaf == nullptr || leaf->time <= row.version.time)) newer_here.push_back(&row);
      if (leaf != nullptr && (same || leaf->time < row.version.time)) theirs.erase(it);
    });
  }
  Want want{.keys = {}, .from = own_name()};
  for (const auto& [key, leaf] : theirs) {
    if (!store_.clock().is_ahead(now, leaf->time)) want.keys.push_back(key);
  }
  send_rows(now, message.from, newer_here);
  if (!want.keys.empty()) send(now, message.from, encode(want));
}

void Metadata::handle(Instant now, const Want& message) {
  std::vector<const Row*> rows;
  for (const std::uint64_t key : message.keys) {
    if (const Row* row = store_.find(key)) rows.push_back(row);
  }
  send_rows(now, message.from, rows);
}

// In messages of kMessageBytesMax, together kAnswerBytesMax: then the other is told to ask again.
void Metadata::send_rows(Instant now, std::string_view to, const std::vector<const Row*>& rows) {
  std::size_t total = 0;
  for (std::size_t at = 0; at < rows.size() && total < kAnswerBytesMax;) {
    Rows message{.more = false, .changes = {}, .from = own_name()};
    for (std::size_t bytes = 0; at < rows.size() && bytes < kMessageBytesMax; ++at) {
      message.changes.push_back(change_of(*rows[at]));
      bytes += wire_bytes(message.changes.back());
      total += wire_bytes(message.changes.back());
    }
    message.more = at < rows.size() && total >= kAnswerBytesMax;
    if (!send(now, to, encode(message))) return;
  }
}

void Metadata::handle(Instant now, const Rows& message) {
  std::size_t taken = 0;
  for (const Change& change : message.changes) {
    const std::uint64_t hash = hash_of(change.key);
    const bool was_announced = pulls_.deadline(hash).has_value();
    pulls_.stop(hash);
    if (!take(now, change)) continue;
    ++taken;
    if (was_announced) pass_on(now, change);
    defend(now, change);
  }
  // Only as long as it leads somewhere: what is refused here would be offered again and again.
  if (message.more && taken > 0) {
    send(now, message.from, encode(Root{store_.root(), false, own_name()}));
  }
}

}  // namespace ginnel::swim::metadata
