// The list of members: by name, and in the random order in which they are probed.
//
// A member that is dead or left for `gossip_to_the_dead_time` is *retired*: it leaves the protocol
// (and n) but not the list, so that it can be found again after a partition.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "proto/swim/events.h"
#include "proto/swim/suspicion.h"

namespace ginnel::swim {

struct Member {
  std::string name;
  ByteVector meta;
  Endpoint endpoint;
  Incarnation incarnation;
  Vsn vsn = kNoVsn;
  State state = State::kDead;
  Reason reason = Reason::kNone;
  bool retired = false;
  std::uint8_t contact_failures = 0;  // attempts to reach it since it died
  Instant since;
  Instant next_contact;                  // when it may be tried again, while dead
  std::unique_ptr<Suspicion> suspicion;  // running exactly when state is kSuspect
  std::vector<std::string> accusers;     // of the last suspicion that ended in death

  bool is_gone() const { return state == State::kDead || state == State::kLeft; }
  MemberInfo info() const;
};

class MemberTable {
 public:
  explicit MemberTable(Rng rng) : rng_(std::move(rng)) {}

  Member* find(std::string_view name);
  const Member* find(std::string_view name) const;
  // A new member, dead and with incarnation 0, at a random place of the order.
  Member& insert(std::string_view name);
  void retire(Member& member);
  void revive(Member& member);  // a retired one takes part again
  void erase(Member& member);

  // n: those that take part.
  std::size_t active_count() const { return order_.size(); }
  std::size_t size() const { return by_name_.size(); }
  // By name, retired ones too.
  const auto& all() const { return by_name_; }
  // In the order of probing.
  const std::vector<Member*>& order() const { return order_; }
  void shuffle();

  // Up to `count` different members that `wanted` accepts, as memberlist draws them: 3 n tries.
  template <class Wanted>
  std::vector<Member*> random(std::size_t count, Wanted&& wanted) {
    std::vector<Member*> out;
    if (order_.empty()) return out;
    for (std::size_t i = 0; i < 3 * order_.size() && out.size() < count; ++i) {
      Member* member = order_[rng_.below(order_.size())];
      const bool twice = std::ranges::find(out, member) != out.end();
      if (!twice && wanted(*member)) out.push_back(member);
    }
    return out;
  }

 private:
  void insert_in_order(Member& member);

  Rng rng_;
  std::map<std::string_view, std::unique_ptr<Member>> by_name_;  // keys lie in the members
  std::vector<Member*> order_;
};

}  // namespace ginnel::swim
