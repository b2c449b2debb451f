// What a member may be told, and whom it turns to, where not everybody reaches everybody: on a mesh
// of sessions. Without one (memberlist's world) all members are neighbours and any name may come
// from any address.
//
//   swim.set_neighbourhood(&neighbourhood);   // it outlives the Swim
//
// Questions only: an answer changes nothing, and is the same for the whole of one call of Swim's.
#pragma once
#include <string_view>

#include "base/address.h"

namespace ginnel::swim {

class Neighbourhood {
 public:
  virtual ~Neighbourhood() = default;

  // Whether this member may be chosen: for a probe, as a helper, for gossip, for a push/pull.
  virtual bool reaches(std::string_view name) const = 0;
  // Whether the member of this name may be at this address. What says otherwise is dropped.
  virtual bool admits(std::string_view name, const Endpoint& at) const = 0;
};

}  // namespace ginnel::swim
