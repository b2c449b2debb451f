// How a node finds the cluster: it exchanges state with hubs as their sessions come up, or, where no
// hub is there, with whoever else is. Members that died are Swim's to look for.
#include <algorithm>

#include "node/gossip/gossip.h"

namespace ginnel::node {
namespace {

// Between attempts, doubling: one that knows no GOSSIP frame never answers.
constexpr Nanoseconds kJoinWait = 5s;
constexpr Nanoseconds kJoinWaitMax = 60s;

}  // namespace

// Hubs that are no members to us; when we are alone, anybody with a session.
std::optional<Id> Gossip::whom_to_join() const {
  const auto is_up = [&](const Id& id) {
    const auto link = links_.find(id);
    return link != links_.end() && link->second.is_open() && reach_.live.contains(id);
  };
  const bool alone = agent_.swim().alive_count() <= 1;
  for (const Id& id : reach_.hubs) {
    const Peer* peer = directory_.find(id);
    if (!peer || !is_up(id)) continue;
    if (alone || !agent_.member(peer->record.name)) return id;
  }
  if (!alone) return std::nullopt;
  const auto other = std::ranges::find_if(reach_.others, is_up);
  return other == reach_.others.end() ? std::nullopt : std::optional(*other);
}

void Gossip::run_join(Instant now) {
  if (agent_.is_leaving()) return;
  join_wait_ = std::clamp(join_wait_ * 2, kJoinWait, kJoinWaitMax);
  timers_.set(Timer::kJoin, now + join_wait_);
  const auto target = joining_ ? std::nullopt : whom_to_join();
  if (!target) return;
  joining_ = true;
  agent_.join(now, endpoint_of(*target));
}

}  // namespace ginnel::node
