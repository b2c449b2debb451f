// Somebody without a key of the network, at an address of its own: what it may ever get back is a
// STUN answer or a cookie.
//
//   Outsider outsider(seeds, rng);
//   size = outsider.write(target, slot);          // one datagram
//   outsider.judge(reply);                        // counts what may not come back
//
// One thread.
#pragma once
#include <set>

#include "proto/wg/cookie.h"
#include "proto/wg/handshake.h"
#include "seeds.h"

namespace ginnel::hostile {

class Outsider {
 public:
  struct Counts {
    std::uint64_t random = 0;
    std::uint64_t mutated = 0;
    std::uint64_t stun = 0;       // answers
    std::uint64_t cookies = 0;    // answers
    std::uint64_t responses = 0;  // answers to an initiation of the insider, sent as it was
    std::uint64_t wrong = 0;      // answers that may not be
  };

  Outsider(Seeds& seeds, Rng rng) : seeds_(seeds), rng_(std::move(rng)) {}

  // Half of them random, half changed from packets of live sessions. `key`: of the target.
  std::size_t write(Instant now, const crypto::SessionPublic& key, Bytes slot);
  void judge(ConstBytes reply);
  const Counts& counts() const { return counts_; }

 private:
  void note_capture(ConstBytes seed, ConstBytes sent);

  Seeds& seeds_;
  Rng rng_;
  Counts counts_;
  std::set<wg::ReceiverIndex> captured_;  // senders of those
};

// Somebody who knows the hub's key and no more, but does everything right: whole initiations, each
// under a new key. A response is its due; what it must not do is keep others out.
class Stranger {
 public:
  explicit Stranger(Rng rng) : rng_(std::move(rng)) {}
  std::size_t write(Instant now, Wall wall, const crypto::SessionPublic& key, Bytes slot);

 private:
  Rng rng_;
};

}  // namespace ginnel::hostile
