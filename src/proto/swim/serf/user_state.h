// What serf puts into a push/pull beside memberlist's list: its clocks, intents and recent events.
//
//   02 {EventLTime, Events [{LTime, Events [{Name, Payload}]}], LTime, LeftMembers, QueryLTime,
//       StatusLTimes {name: ltime}}
#pragma once
#include "proto/swim/serf/intents.h"
#include "proto/swim/serf/seen.h"

namespace ginnel::swim::serf {

struct UserState {
  Ltime ltime = 0;
  Ltime event_ltime = 0;
  Ltime query_ltime = 0;
  std::vector<std::pair<std::string, Ltime>> status_ltimes;
  std::vector<std::string> left_members;
  std::vector<EventBuffer::Slot> events;

  // At most Intents::kNamesMax names and kRingSize times with kPerTimeMax events are read.
  // Errors: kMalformed, kTooShort, kTooLarge, kUnknownType.
  static Result<UserState, Drop> parse(ConstBytes state);
};

// The whole state, type byte first.
ByteVector encode(const UserState& state);

}  // namespace ginnel::swim::serf
