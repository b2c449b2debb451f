#include "sim/seal_checker.h"

#include "base/reader.h"
#include "proto/relay/wire.h"
#include "sim/world.h"

namespace ginnel::sim {
namespace {

constexpr std::uint32_t kDataType = 4;  // WireGuard section 5.4.6

// What this machine sealed itself; empty: a hub passes it on, or it is something else.
ConstBytes own_packet(ConstBytes datagram) {
  if (!relay::is_relay(datagram)) return datagram;
  const auto header = relay::parse_header(datagram);
  if (!header || header->hops != relay::kHopsFromNode) return {};
  return datagram.subspan(relay::kHeaderBytes);
}

}  // namespace

void SealChecker::sent(const World& world, MachineId from, ConstBytes datagram) {
  Reader r(own_packet(datagram));
  const std::uint32_t type = r.u32le();
  const std::uint32_t receiver = r.u32le();
  const std::uint64_t counter = r.u64le();
  if (!r.ok() || type != kDataType) return;
  ++checked_;
  const auto [it, is_new] = counters_.try_emplace({from, receiver}, counter);
  if (!is_new && counter <= it->second) {
    violated("counter " + std::to_string(counter) +
             " again under one key: " + world.machine(from).name() + " at " +
             std::to_string(world.now().ns / 1'000'000) + " ms");
  }
  it->second = std::max(it->second, counter);
}

void SealChecker::on_crash(const World&, MachineId machine) {
  std::erase_if(counters_, [&](const auto& entry) { return entry.first.from == machine; });
}

}  // namespace ginnel::sim
