#include "proto/swim/member_table.h"

#include "base/assert.h"

namespace ginnel::swim {

MemberInfo Member::info() const {
  return {.name = name,
          .endpoint = endpoint,
          .state = state,
          .incarnation = incarnation,
          .meta = meta,
          .vsn = vsn,
          .since = since,
          .suspected_by = suspicion ? suspicion->accusers() : accusers,
          .reason = reason};
}

Member* MemberTable::find(std::string_view name) {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second.get();
}
const Member* MemberTable::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second.get();
}

Member& MemberTable::insert(std::string_view name) {
  auto member = std::make_unique<Member>();
  member->name = name;
  Member& out = *member;
  const bool inserted = by_name_.emplace(out.name, std::move(member)).second;
  GINNEL_ASSERT(inserted);
  insert_in_order(out);
  return out;
}

// memberlist: a random place, so that nobody is probed last by everyone.
void MemberTable::insert_in_order(Member& member) {
  order_.push_back(&member);
  std::swap(order_.back(), order_[rng_.below(order_.size())]);
}

void MemberTable::retire(Member& member) {
  if (member.retired) return;
  member.retired = true;
  std::erase(order_, &member);
}

void MemberTable::revive(Member& member) {
  if (!member.retired) return;
  member.retired = false;
  insert_in_order(member);
}

void MemberTable::erase(Member& member) {
  if (!member.retired) std::erase(order_, &member);
  by_name_.erase(by_name_.find(member.name));
}

void MemberTable::shuffle() {
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[rng_.below(i)]);
}

}  // namespace ginnel::swim
