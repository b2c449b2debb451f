// Moves everything a core has to say to its driver: datagrams to the outbox, events to `deliver`.
// Written once, used by the event loop, the simulator and the fuzzers.
#pragma once
#include <optional>
#include <utility>

#include "base/core.h"

namespace ginnel {

// Where a core's datagrams go. slot() is the place for the next one; empty: the socket is full.
template <class O>
concept Outbox = requires(O outbox, const Transmit& transmit) {
  { outbox.slot() } -> std::convertible_to<std::span<std::byte>>;
  outbox.commit(transmit);
};

// Returns when the core wants handle_timeout next; nullopt: never, unless something arrives.
// When the outbox is full the pulling stops and data waits in the core's own bounded queue.
template <TimedCore C, Outbox O, class OnEvent>
std::optional<Instant> drain(C& core, Instant now, O& outbox, OnEvent&& deliver) {
  for (std::span<std::byte> slot = outbox.slot(); !slot.empty(); slot = outbox.slot()) {
    const auto transmit = core.poll_transmit(now, slot);
    if (!transmit) break;
    outbox.commit(*transmit);
  }
  while (auto event = core.poll_event()) deliver(*std::move(event));
  return core.next_timeout();
}

}  // namespace ginnel
