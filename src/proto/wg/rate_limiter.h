// A token bucket per source address, for handshakes under load (wireguard-go ratelimiter.go: 20 a
// second, 5 at once).
#pragma once
#include <map>

#include "base/address.h"
#include "base/instant.h"

namespace ginnel::wg {

class RateLimiter {
 public:
  static constexpr int kPerSecond = 20;
  static constexpr int kBurst = 5;
  // Sources remembered at a time. At the limit those that are full again are forgotten; if none
  // is, newcomers are refused.
  static constexpr std::size_t kSourcesMax = 4096;

  // Takes one token of the source. An IPv6 source is its /64, which one host may own whole.
  bool allow(Instant now, const Address& from);
  std::size_t sources() const { return buckets_.size(); }

 private:
  struct Bucket {
    Nanoseconds tokens;  // time saved up; one packet costs 1 s / kPerSecond
    Instant updated;
  };
  void forget_idle(Instant now);

  std::map<Address, Bucket> buckets_;
};

}  // namespace ginnel::wg
