// What NAT is in front of our one socket: asks the main and the probe port of each hub (STUN, RFC
// 8489 and RFC 5780), when the network changed and slowly ever after.
//
//   NatDiscovery nat(rng.fork("nat"));
//   nat.set_own(addresses, port);
//   nat.set_servers(now, {{hub_endpoint, probe_port}});
//   drain(nat, now, outbox, …);                 // requests, on the main socket
//   nat.nat();  nat.mapped();
//
// One server, one question at a time, each asked kTries times:
//
//   kMain --answer--> kChangePort --answer or silence--> kProbePort --answer or silence--> kDone
//     |  silence: asked again after kSilentAgain           (last: it opens the filter)
//
// The Linux trap: an answer that comes unsolicited from the probe port occupies, at a NAT whose
// INPUT accepts it, the tuple that our own packet to that port would have got, and makes the
// mapping look port-dependent. So that verdict is asked for once more when such an entry has
// expired.
//
// Pure. Allocates per server, at most kServersMax.
#pragma once
#include <optional>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
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
  // nf_conntrack_udp_timeout is 30 s; the entry of an unsolicited packet is gone well before this.
  static constexpr Nanoseconds kTrapTime = 65s;
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
  bool handle_answer(Instant now, const Endpoint& from, ConstBytes datagram);
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
  enum class Step : std::uint8_t { kMain, kChangePort, kProbePort, kDone };
  struct Inquiry {
    StunServer server;
    Step step = Step::kMain;
    int tries = 0;          // of this step
    bool send_due = false;  // the next try waits to be polled
    bool recheck = false;   // this run skips kChangePort: the trap must not spring again
    bool settled = false;   // kDone, and what it found counts
    std::array<std::uint8_t, 16> transaction{};
    Instant deadline;                // of the try, or of the next run
    std::optional<Endpoint> mapped;  // by the main port
    std::optional<Endpoint> probe_mapped;
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
  bool looks_trapped(const Inquiry& inquiry) const;
  void publish();
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
