// Asks addresses of hubs whose key is not known for their certificate (docs/wire/ginnel.md section
// 11): a Binding request with GINNEL-CERT, answered by the hub's chain.
//
//   HubInquiry inquiry(rng.fork("inquiry"));
//   inquiry.ask(now, 0, endpoints);             // until stop(0)
//   drain(inquiry, now, outbox, [&](HubCertificate found) { … verify found.chain … });
//
// The answer is not authenticated: who asked checks the chain, and the handshake checks the rest.
// Pure. Allocates per hub asked.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/core.h"
#include "base/retry.h"
#include "base/rng.h"
#include "proto/stun/request.h"

namespace ginnel::node {

struct HubCertificate {
  std::size_t hub = 0;  // as in ask()
  Endpoint endpoint;    // that answered
  ByteVector chain;
};

class HubInquiry {
 public:
  using Event = HubCertificate;
  // Certificates that wait to be polled; past it new ones are dropped, and asked for again.
  static constexpr std::size_t kEventsMax = 16;

  explicit HubInquiry(Rng rng) : rng_(std::move(rng)) {}

  // Asks one endpoint after the other, again and again. Asked already: goes on with these.
  void ask(Instant now, std::size_t hub, std::vector<Endpoint> endpoints);
  // Asks on at `at`, not before: what came was of no use.
  void pause(std::size_t hub, Instant at);
  void stop(std::size_t hub) { asked_.erase(hub); }
  bool is_asking(std::size_t hub) const { return asked_.contains(hub); }

  // True: it answers a request of ours.
  bool handle_answer(Instant now, const Endpoint& from, ConstBytes datagram);
  void handle_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Event> poll_event();
  std::optional<Instant> next_timeout() const;

 private:
  struct Asked {
    std::vector<Endpoint> endpoints;
    std::size_t next = 0;  // of endpoints
    std::size_t request_bytes = stun::kCertRequestBytes;
    RetrySchedule retry{{.first = 500ms, .longest = 5s}};
    std::optional<Instant> paused_until;
    std::array<std::uint8_t, 16> transaction{};
    Endpoint sent_to;  // with that transaction
  };

  Rng rng_;
  std::map<std::size_t, Asked> asked_;
  std::deque<HubCertificate> events_;
};
static_assert(TimedCore<HubInquiry>);

}  // namespace ginnel::node
