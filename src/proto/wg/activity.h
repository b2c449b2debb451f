// What one peer's packets say about it, in relaxed atomics: the forwarding threads write, the
// control thread's timers read. A reader may see a value a moment late; every timer here counts
// seconds.
//
// Thread-safe. Never allocates.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/instant.h"

namespace ginnel::wg {

class Activity {
 public:
  enum class Packet { kData, kKeepalive };

  // Once per batch is enough. Any authenticated packet sent answers for what was received.
  void note_sent(Instant now, Packet packet) {
    store(sent_, now.ns);
    reset(data_received_since_);
    if (packet == Packet::kData) set_if_never(data_sent_since_, now.ns);
  }
  // Only after the packet was authenticated. Any one is an answer to what was sent.
  void note_received(Instant now, Packet packet) {
    store(received_, now.ns);
    reset(data_sent_since_);
    if (packet != Packet::kData) return;
    if (!set_if_never(data_received_since_, now.ns)) store(more_data_, true);
  }

  std::optional<Instant> sent() const { return load(sent_); }
  std::optional<Instant> received() const { return load(received_); }
  // The first data packet sent since anything was received: it waits for an answer.
  std::optional<Instant> data_sent_since() const { return load(data_sent_since_); }
  // The first data packet received since anything was sent: it waits for a passive keepalive.
  std::optional<Instant> data_received_since() const { return load(data_received_since_); }
  // Whether data came while a passive keepalive was already due; resets.
  bool take_more_data() { return more_data_.exchange(false, std::memory_order_relaxed); }

  // For the timers that fired.
  void forget_data_sent() { reset(data_sent_since_); }
  void forget_data_received() { reset(data_received_since_); }
  void expect_keepalive(Instant since) { store(data_received_since_, since.ns); }

 private:
  static constexpr std::int64_t kNever = INT64_MIN;
  using Time = std::atomic<std::int64_t>;

  template <class T>
  static void store(std::atomic<T>& to, T value) {
    to.store(value, std::memory_order_relaxed);
  }
  // Reads first: a write would take the cache line from the other thread for nothing.
  static void reset(Time& time) {
    if (time.load(std::memory_order_relaxed) != kNever) store(time, kNever);
  }
  static bool set_if_never(Time& time, std::int64_t ns) {
    if (time.load(std::memory_order_relaxed) != kNever) return false;
    store(time, ns);
    return true;
  }
  static std::optional<Instant> load(const Time& time) {
    const std::int64_t ns = time.load(std::memory_order_relaxed);
    return ns == kNever ? std::nullopt : std::optional(Instant{ns});
  }

  Time sent_{kNever};
  Time received_{kNever};
  Time data_sent_since_{kNever};
  Time data_received_since_{kNever};
  std::atomic<bool> more_data_{false};
};

}  // namespace ginnel::wg
