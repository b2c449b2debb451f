// What NAT is in front of our main socket: asks the main and the probe port of each hub (STUN, RFC
// 8489 and RFC 5780), when the network changed and slowly ever after.
//
//   NatDiscovery nat(rng.fork("nat"));
//   nat.set_own(addresses, port);
//   nat.set_servers(now, {{hub_endpoint, probe_port}});
//   drain(nat, now, outbox, …);                 // requests
//   nat.nat();  nat.mapped();
//
// One server, one question at a time, each asked kTries times:
//
//   kMain --answer--> kProbePort --answer or silence--> kFilter --answer or silence--> kDone
//     |  silence: asked again after kSilentAgain
//
// The Linux trap: an answer that comes unsolicited from the probe port occupies, at a NAT whose
// INPUT accepts it, the tuple that our own packet to that port would have got; later packets of the
// same socket may then leave from another port, to whomever they go. So whether the filter lets
// such an answer in is asked from a socket that carries nothing else (kProbeSocket).
//
// Pure. Allocates per server, at most kServersMax.
#pragma once
#include <optional>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "node/sockets.h"
#include "proto/stun/nat_classifier.h"
#include "proto/stun/request.h"

namespace ginnel::node {

// A hub, as far as STUN goes.
struct StunServer {
  Endpoint main;
  std::uint16_t probe_port = 0;  // 0: none that we know of
  friend bool operator==(const StunServer&, const StunServer&) = default;
};

class NatDiscovery {
 public:
  struct Changed {};  // nat(), mapped() or udp_blocked()
  using Event = Changed;

  static constexpr std::size_t kServersMax = 8;  // further ones are not asked
  static constexpr int kTries = 3;
  // RFC 8489 section 6.2.1: an RTO of 500 ms.
  static constexpr Nanoseconds kAnswerTime = 500ms;
  static constexpr Nanoseconds kSilentAgain = 30s;
  // Longer than RFC 4787 (REQ-5) recommends a mapping to live, so that the filter is shut again.
  static constexpr Nanoseconds kAgain = 600s;

  explicit NatDiscovery(Rng rng) : rng_(std::move(rng)) {}

  // Our own addresses and the port of the socket. A change counts from network_changed() on.
  void set_own(std::vector<Address> addresses, std::uint16_t port);
  // Another list than before starts over.
  void set_servers(Instant now, std::vector<StunServer> servers);
  void network_changed(Instant now);
  // A hub fell silent: is it the hub, or does nothing come through any more? Keeps what is known.
  void ask_again(Instant now);

  // True: it answers a request of ours. It is ours alone: others' transactions cannot be guessed.
  bool handle_answer(Instant now, PathId path, const Endpoint& from, ConstBytes datagram);
  void handle_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Event> poll_event();
  std::optional<Instant> next_timeout() const;

  const stun::NatClass& nat() const { return published_.nat; }
  // Where main ports see us, each once.
  const std::vector<Endpoint>& mapped() const { return published_.mapped; }
  // Every server was asked lately, and none answered.
  bool udp_blocked() const { return published_.udp_blocked; }

 private:
  enum class Step : std::uint8_t { kMain, kProbePort, kFilter, kDone };
  struct Inquiry {
    StunServer server;
    Step step = Step::kMain;
    int tries = 0;          // of this step
    bool send_due = false;  // the next try waits to be polled
    bool settled = false;   // kDone, and what it found counts
    std::array<std::uint8_t, 16> transaction{};
    Instant deadline;                // of the try, or of the next run
    std::optional<Endpoint> mapped;  // by the main port
  };
  struct Published {
    stun::NatClass nat;
    std::vector<Endpoint> mapped;
    bool udp_blocked = false;
    friend bool operator==(const Published&, const Published&) = default;
  };

  void start_over(Instant now);
  void begin(Instant now, Inquiry& inquiry, Step step);
  void run_again(Instant now, Inquiry& inquiry);
  void advance(Instant now, Inquiry& inquiry, const std::optional<Endpoint>& answer);
  void finish(Instant now, Inquiry& inquiry);
  void note_change_port(bool answered);
  void publish();
  static PathId socket_of(Step step);
  static Endpoint expected_source(const Inquiry& inquiry);

  Rng rng_;
  std::vector<Address> own_;
  std::uint16_t own_port_ = 0;
  std::vector<StunServer> servers_;
  std::vector<Inquiry> inquiries_;  // one per server
  stun::NatClassifier classifier_;
  std::optional<bool> change_port_;  // as the classifier has it
  bool was_settled_ = false;         // from then on only settled results are published
  Published published_;
  bool changed_ = false;
};
static_assert(TimedCore<NatDiscovery>);

}  // namespace ginnel::node
