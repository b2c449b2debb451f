// Who means to leave: serf's word about a member, beside what memberlist sees of it. A member whose
// end comes after its leave intent has left; any other has failed.
//
//   Intents intents;
//   if (intents.apply(join_intent)) pass_on(join_intent);
//   intents.is_leaving("a");
//
// Source: serf a24f620, serf.go handleNodeJoinIntent, handleNodeLeaveIntent.
#pragma once
#include <map>
#include <string>

#include "proto/swim/serf/lamport.h"

namespace ginnel::swim::serf {

class Intents {
 public:
  // Names beyond it are not remembered, and their intents not passed on.
  static constexpr std::size_t kNamesMax = 131'072;

  struct Status {
    Ltime ltime = 0;       // of the newest intent
    bool leaving = false;  // it was to leave
  };

  // True: newer than what was known, so others should hear of it.
  bool apply(const JoinIntent& intent);
  bool apply(const LeaveIntent& intent);
  bool is_leaving(std::string_view name) const;
  // It is alive again, so an intent to leave is over.
  void revived(std::string_view name);
  void forget(std::string_view name);

  LamportClock& clock() { return clock_; }
  const LamportClock& clock() const { return clock_; }
  const std::map<std::string, Status, std::less<>>& all() const { return statuses_; }

 private:
  bool update(std::string_view name, const Status& status);

  LamportClock clock_;
  std::map<std::string, Status, std::less<>> statuses_;
};

}  // namespace ginnel::swim::serf
