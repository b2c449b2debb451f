// How fast the world turns: pairs of machines behind NATs that exchange datagrams, and how many
// events per second of real time that makes. Prints; asserts nothing.
#include <chrono>
#include <cstdio>

#include "sim/places.h"
#include "sim/test_hosts.h"

int main() {
  using namespace ginnel;
  using namespace ginnel::sim;
  constexpr std::size_t kPairs = 50;
  World world({.seed = 1});
  Places places(world);
  const SiteOptions far{.wan = both({.delay = 20ms, .jitter = 5ms, .loss = 0.01})};
  for (std::size_t i = 0; i < kPairs; ++i) {
    const auto echo = world.add_machine("echo", std::make_unique<EchoHost>(std::uint16_t{7}));
    const auto ping = world.add_machine("ping", std::make_unique<Pinger>(std::uint16_t{7700}));
    places.put(echo, places.add_site(NatKind::kOpen, far));
    places.put(ping, places.add_site(NatKind::kPortrestricted, far));
    world.host<Pinger>(ping).send_series(
        {.letter = {.to = {world.machine(echo).addresses()[0], 7}, .bytes = ByteVector(1200)},
         .interval = 10ms,
         .count = 30'000});
    world.start(echo);
    world.start(ping);
  }
  const auto begin = std::chrono::steady_clock::now();
  world.run_for(300s);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto events = static_cast<double>(world.events());
  std::printf("%.0f events, %.0f simulated seconds in %.2f s: %.2f million events per second\n",
              events, 300.0, took.count(), events / took.count() / 1e6);
}
