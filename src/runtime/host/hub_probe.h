// What UDP to the hubs' addresses is like: do they answer, how fast, what do they see us as, what
// does their clock say, and how large a packet gets there (STUN, docs/wire/ginnel.md section 11).
//
//   HubProbe probe({{hub, 1500}}, Rng(key), now);
//   while (!probe.is_done()) { … poll_transmit() … handle_answer() … handle_timeout() … }
//   probe.findings();
//
//   kReach --answer--> kWidest --answer--> kDone
//     | silence          | silence: a black hole, or the path told its limit
//     v                  v
//   kDone              kLadder --silence--> kDone
//
// Nothing here is authenticated: it serves to tell people, never to decide. Pure. Allocates per
// address, at most kTargetsMax.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "proto/stun/wire.h"

namespace ginnel::host {

struct ProbeTarget {
  Endpoint endpoint;
  std::size_t packet_bytes_max = 1500;  // that the interface toward it takes, IP header included
};

// Why a datagram did not even leave.
enum class SendTrouble : std::uint8_t {
  kNone,
  kRefused,  // a firewall of this host
  kNoRoute,
  kTooBig,  // a router told that the path takes less
};

struct ProbeFinding {
  Endpoint endpoint;
  std::optional<Nanoseconds> rtt;  // nullopt: no answer at all
  std::optional<Endpoint> mapped;  // where it sees us
  std::uint16_t probe_port = 0;    // its second STUN port; 0: it named none
  std::optional<Nanoseconds> clock_ahead;  // its clock minus ours; nullopt: it does not tell
  std::size_t mtu_bytes = 0;               // the largest IP packet that was answered
  std::size_t mtu_tried_bytes = 0;         // the largest that was sent
  SendTrouble trouble = SendTrouble::kNone;  // of what never left

  // Larger packets vanish and nobody says so.
  bool is_black_hole() const {
    return rtt && mtu_bytes < mtu_tried_bytes && trouble != SendTrouble::kTooBig;
  }
};

class HubProbe {
 public:
  // Further addresses are not asked.
  static constexpr std::size_t kTargetsMax = 16;
  static constexpr int kTries = 4;  // of kReach; half as many of the others
  // RFC 8489 section 6.2.1 has 500 ms; the far side of the Earth answers in 300.
  static constexpr Nanoseconds kAnswerTime = 400ms;
  // IPv6's least MTU; what carries less carries no WireGuard either.
  static constexpr std::size_t kPacketBytesMin = 1280;

  HubProbe(const std::vector<ProbeTarget>& targets, Rng rng, Instant now);

  // True: it answers a request of ours. `wall`: this host's clock at `now`.
  bool handle_answer(Instant now, Wall wall, const Endpoint& from, ConstBytes datagram);
  // A datagram to `to` did not leave.
  void note_trouble(const Endpoint& to, SendTrouble trouble);
  void handle_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Instant> next_timeout() const;

  bool is_done() const { return !next_timeout().has_value(); }
  // One per target, in their order.
  std::vector<ProbeFinding> findings() const;

 private:
  enum class Phase : std::uint8_t { kReach, kWidest, kLadder, kDone };
  struct Question {
    std::array<std::uint8_t, 16> transaction{};
    std::size_t packet_bytes = 0;
    std::optional<Instant> sent;
  };
  struct Asked {
    ProbeFinding finding;
    Phase phase = Phase::kReach;
    int tries = 0;
    Instant deadline;
    std::vector<Question> questions;  // of this phase; older ones first
  };

  void begin(Instant now, Asked& asked, Phase phase);
  void ask_again(Instant now, Asked& asked);
  void ask(Asked& asked, std::size_t packet_bytes);
  void give_up(Instant now, Asked& asked);
  static void learn(Asked& asked, const Question& question, Instant now, Wall wall,
                    const stun::Message& answer);

  Rng rng_;
  std::vector<Asked> asked_;
};

}  // namespace ginnel::host
