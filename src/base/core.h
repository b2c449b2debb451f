// The one shape of every protocol core: bytes and `now` in, bytes and events out (ARCHITECTURE.md).
// A core never reads a clock, opens a socket or calls back; `drain` (base/drain.h) moves what it
// has to say.
#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

#include "base/address.h"
#include "base/instant.h"
#include "base/strong_int.h"

namespace ginnel {

// A way that datagrams take: a socket, a relay, a stream.
using PathId = StrongInt<struct PathIdTag, std::uint32_t>;
inline constexpr PathId kSocket{0};  // plain UDP

// One send: the first `size` bytes of the buffer given to poll_transmit.
struct Transmit {
  PathId path;
  Endpoint to;
  Address source;                // unspecified: the kernel chooses
  std::size_t size = 0;          // bytes, > 0
  std::size_t segment_size = 0;  // bytes per datagram if the kernel splits it (UDP GSO); 0: one
  std::uint8_t ttl = 0;          // 0: the kernel's; low values prime a NAT
  std::uint8_t ecn = 0;
};

// A core driven by time alone: it is fed by another core, or opens packets in its own way.
template <class C>
concept TimedCore = requires(C core, const C& view, Instant now, std::span<std::byte> bytes) {
  typename C::Event;
  { core.handle_timeout(now) } -> std::same_as<void>;
  { core.poll_transmit(now, bytes) } -> std::same_as<std::optional<Transmit>>;
  { core.poll_event() } -> std::same_as<std::optional<typename C::Event>>;
  { view.next_timeout() } -> std::same_as<std::optional<Instant>>;
};

template <class C>
concept ProtocolCore = TimedCore<C> && requires(C core, Instant now, PathId path,
                                                const Endpoint& from, std::span<std::byte> bytes) {
  { core.handle_datagram(now, path, from, bytes) } -> std::same_as<void>;
};

}  // namespace ginnel
