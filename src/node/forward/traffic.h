// What one peer's packets amount to. Shared by all tables that name the peer: a table is replaced
// whenever a path or key pair changes, and the counts go on.
//
// Each member has one writing thread and any number of readers. Never allocates.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/instant.h"

namespace ginnel::forward {

struct Traffic {
  // Never seen; so far back that every interval since then is over.
  static constexpr std::int64_t kNever = INT64_MIN / 2;

  // The transmitting thread's. Inner packets and their bytes, as they were before sealing.
  std::atomic<std::uint64_t> sent_packets{0};
  std::atomic<std::uint64_t> sent_bytes{0};
  std::atomic<std::int64_t> last_sent_ns{kNever};
  std::atomic<std::uint32_t> fragmented{0};
  // The receiving thread's.
  alignas(64) std::atomic<std::uint64_t> received_packets{0};
  std::atomic<std::uint64_t> received_bytes{0};
  std::atomic<std::int64_t> last_received_ns{kNever};
  std::atomic<std::int64_t> source_reported_ns{kNever};
  // The last packet of any kind from where the table expects the peer: proof that this path lives.
  std::atomic<std::int64_t> expected_received_ns{kNever};

  void note_sent(Instant now, std::uint64_t packets, std::uint64_t bytes) {
    add(sent_packets, packets);
    add(sent_bytes, bytes);
    last_sent_ns.store(now.ns, std::memory_order_relaxed);
  }
  void note_received(Instant now, std::uint64_t packets, std::uint64_t bytes) {
    add(received_packets, packets);
    add(received_bytes, bytes);
    last_received_ns.store(now.ns, std::memory_order_relaxed);
  }

 private:
  // One writer: no locked instruction is needed.
  static void add(std::atomic<std::uint64_t>& to, std::uint64_t n) {
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

}  // namespace ginnel::forward
