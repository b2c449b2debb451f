// How many answers a network may draw from a server that must answer unauthenticated requests: at
// most 50 in any second per IPv4 /24 or IPv6 /56 (one site's usual share), then silence, so that a
// spoofed source is not worth the trouble.
//
// Allocates one table entry per network heard lately, at most kSourcesMax.
#pragma once
#include <map>

#include "base/address.h"
#include "base/instant.h"

namespace ginnel::stun {

class SourceLimiter {
 public:
  static constexpr std::size_t kPerSecond = 50;
  // Networks remembered at a time. At the limit those that were silent for a second are forgotten;
  // if none was, newcomers get no answer.
  static constexpr std::size_t kSourcesMax = 4096;

  // True: answer, and it counts.
  bool allow(Instant now, const Address& from);
  std::size_t sources() const { return sources_.size(); }

 private:
  // When each of the last kPerSecond answers was given, oldest at `next`.
  struct Recent {
    std::array<Instant, kPerSecond> at{};
    std::size_t next = 0;
    std::size_t count = 0;
    Instant last;
  };
  bool make_room(Instant now);

  std::map<Address, Recent> sources_;  // by network address
  Instant next_sweep_;                 // a full table is searched at most ten times a second
};

}  // namespace ginnel::stun
