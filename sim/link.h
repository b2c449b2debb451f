// One direction of a link: what it does to a packet, decided the moment the packet enters.
//
//   Link link({.delay = 20ms, .loss = 0.01}, Rng::from_seed(1));
//   const Passage passage = link.enter(now, ip_bytes);   // when it comes out, once, twice or never
//
// The link as built is a LinkConfig; what goes wrong with it for a while is a Disturbance with an
// end, so overlapping faults need no healing and cannot leave anything behind.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/instant.h"
#include "base/rng.h"
#include "sim/drop.h"

namespace ginnel::sim {

// Loss in bursts (Gilbert-Elliott): the link changes between a good state, where LinkConfig::loss
// holds, and a bad one. Probabilities are per packet.
struct BurstLoss {
  double enter = 0;  // good to bad
  double leave = 1;  // bad to good
  double loss = 1;   // in the bad state
};

struct LinkConfig {
  Nanoseconds delay{0};   // one way
  Nanoseconds jitter{0};  // added, uniform in [0, jitter]; keeps the order
  double loss = 0;        // probabilities, per packet
  BurstLoss burst;
  double reorder = 0;  // held back by reorder_delay, so that later ones overtake
  Nanoseconds reorder_delay = 10ms;
  double duplicate = 0;
  double corrupt = 0;                // one bit flipped, past every checksum of the lower layers
  std::uint64_t rate_bits = 0;       // per second; 0: unlimited
  std::size_t queue_bytes = 65'536;  // what waits for the rate; more is dropped
  std::size_t mtu_bytes = 1500;      // of the IP packet
};

// Both directions, as seen from the machine or box: up is what it sends.
struct LinkPair {
  LinkConfig up;
  LinkConfig down;
};
inline LinkPair both(const LinkConfig& config) { return {config, config}; }

// Something wrong with a link until `until`. Several add up.
struct Disturbance {
  Instant until;
  bool down = false;     // nothing enters
  bool clogged = false;  // everything is held, and released together at `until`
  double loss = 0;
  double duplicate = 0;
  double corrupt = 0;
  double reorder = 0;
  Nanoseconds delay{0};       // added
  std::size_t mtu_bytes = 0;  // 0: unchanged
};
inline constexpr Instant kForever{INT64_MAX};

// When one packet comes out of the link.
struct Passage {
  struct Copy {
    Instant at;
    bool corrupted = false;
  };
  std::array<Copy, 2> copies{};
  std::size_t count = 0;  // 0: dropped
  DropReason reason = DropReason::kLoss;
};

class Link {
 public:
  Link(const LinkConfig& config, Rng rng);

  // `ip_bytes`: the packet with its IP and UDP headers.
  Passage enter(Instant now, std::size_t ip_bytes);

  void set_config(const LinkConfig& config);
  const LinkConfig& config() const { return config_; }
  // At most kDisturbancesMax at once; the one that ends first gives way. A clog must end.
  void disturb(Instant now, const Disturbance& disturbance);
  void heal() { disturbances_.clear(); }
  std::size_t mtu_bytes(Instant now) const;
  bool is_down(Instant now) const;

  static constexpr std::size_t kDisturbancesMax = 64;

 private:
  void forget_past(Instant now);
  // The configuration with everything that disturbs it now.
  LinkConfig effective(Instant now) const;
  bool loses(const LinkConfig& config);
  std::optional<Instant> departure(Instant now, const LinkConfig& config, std::size_t ip_bytes);
  Passage::Copy arrival(Instant departs, const LinkConfig& config);

  LinkConfig config_;
  bool is_plain_ = false;                  // nothing but delay and MTU: no dice
  std::vector<Disturbance> disturbances_;  // some may be over
  Rng rng_;
  bool in_burst_ = false;
  Instant free_at_{};       // when the last bit accepted so far has been sent
  Instant last_arrival_{};  // of a packet that kept the order
};

}  // namespace ginnel::sim
