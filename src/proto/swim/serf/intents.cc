#include "proto/swim/serf/intents.h"

namespace ginnel::swim::serf {

bool Intents::update(std::string_view name, const Status& status) {
  clock_.witness(status.ltime);
  const auto it = statuses_.find(name);
  if (it == statuses_.end()) {
    if (statuses_.size() == kNamesMax) return false;
    statuses_.emplace(name, status);
    return true;
  }
  if (status.ltime <= it->second.ltime) return false;
  it->second = status;
  return true;
}

bool Intents::apply(const JoinIntent& intent) {
  return update(intent.node, {intent.ltime, false});
}

bool Intents::apply(const LeaveIntent& intent) {
  return update(intent.node, {intent.ltime, true});
}

bool Intents::is_leaving(std::string_view name) const {
  const auto it = statuses_.find(name);
  return it != statuses_.end() && it->second.leaving;
}

void Intents::revived(std::string_view name) {
  const auto it = statuses_.find(name);
  if (it != statuses_.end()) it->second.leaving = false;
}

void Intents::forget(std::string_view name) {
  const auto it = statuses_.find(name);
  if (it != statuses_.end()) statuses_.erase(it);
}

}  // namespace ginnel::swim::serf
