// How fast the world turns: pairs of machines, one of each behind a NAT, that exchange datagrams,
// and how many events per second of processor time that makes. Prints; asserts nothing.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "sim/machine.h"
#include "sim/places.h"

namespace {

using namespace ginnel;
using namespace ginnel::sim;

constexpr std::uint16_t kPort = 7700;
constexpr std::size_t kPairs = 50;
constexpr std::size_t kDatagramBytes = 1200;
constexpr Nanoseconds kInterval = 10ms;
constexpr Nanoseconds kSimulated = 300s;

// Sends a datagram to `to` at each interval, or answers each that comes; keeps nothing.
class Talker : public Host {
 public:
  explicit Talker(std::optional<Endpoint> to) : to_(to) {}

  void start(const Clock& clock, Machine& machine) override {
    machine.bind(kSocket, kPort);
    if (to_) next_ = clock.now;
  }
  void handle_datagram(const Clock&, const Arrival& arrival, Bytes) override {
    if (!to_) pending_ = arrival.from;
  }
  void handle_timeout(const Clock&) override {
    pending_ = to_;
    next_ = *next_ + kInterval;
  }
  std::optional<Instant> next_timeout() const override { return next_; }
  void drain(const Clock&, SendBatch& batch) override {
    if (!pending_) return;
    std::ranges::fill(batch.slot().first(kDatagramBytes), std::byte{0x5a});
    batch.commit({.path = kSocket, .to = *pending_, .size = kDatagramBytes});
    pending_.reset();
  }
  void crash() override {}

 private:
  std::optional<Endpoint> to_;
  std::optional<Endpoint> pending_;
  std::optional<Instant> next_;
};

void fill(World& world) {
  Places places(world);
  const SiteOptions far{.wan = both({.delay = 20ms, .jitter = 5ms, .loss = 0.01})};
  for (std::size_t i = 0; i < kPairs; ++i) {
    const auto echo = world.add_machine("echo", std::make_unique<Talker>(std::nullopt));
    places.put(echo, places.add_site(NatKind::kOpen, far));
    const Endpoint to{world.machine(echo).addresses()[0], kPort};
    const auto ping = world.add_machine("ping", std::make_unique<Talker>(to));
    places.put(ping, places.add_site(NatKind::kPortrestricted, far));
    world.start(echo);
    world.start(ping);
  }
}

void measure(const char* what, bool hash_payloads) {
  World world({.seed = 1, .hash_payloads = hash_payloads});
  fill(world);
  const std::clock_t begin = std::clock();
  world.run_for(kSimulated);
  const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const auto events = static_cast<double>(world.events());
  std::printf("%s: %.0f events in %.2f s of processor time: %.2f million events per second\n", what,
              events, took, events / took / 1e6);
}

}  // namespace

int main() {
  measure("payloads in the trace hash", true);
  measure("headers only", false);
}
